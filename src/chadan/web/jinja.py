"""The Jinja2 environment of every page (Django's `environment` option)."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.templatetags.static import static as django_static
from django.urls import reverse
from django.utils import timezone, translation
from django_htmx.jinja import htmx_script
from jinja2 import Environment

from chadan.platform.wording import said
from chadan.web import format as formats
from chadan.web.icons import icon
from chadan.web.labels import label, tone


def environment(**options: Any) -> Environment:
    """An autoescaping environment with translations, our filters and globals.

    Globals: static(path), url(name, *args, **kwargs), icon(name, size), htmx_script(), now(), language(),
    label(word), tone(word). Filters: money, order_no, number, when, full_time, absolute, mask, said.
    """
    options.setdefault("trim_blocks", True)
    options.setdefault("lstrip_blocks", True)
    env = Environment(  # noqa: S701 - autoescape is set on the next line for whoever passes none
        **{"autoescape": True, **options}, extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"]
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=translation.gettext,
        ngettext=translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    env.globals.update(
        static=static,
        url=url,
        icon=icon,
        htmx_script=htmx_script,
        now=timezone.now,
        language=translation.get_language,
        label=label,
        tone=tone,
    )
    env.filters.update(
        money=formats.money,
        order_no=formats.order_no,
        number=formats.number,
        when=formats.when,
        full_time=formats.full_time,
        absolute=formats.absolute,
        mask=formats.mask,
        said=said,
    )
    return env


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """The path of the view `name`. Raises NoReverseMatch."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


def static(path: str) -> str:
    """The address of a static file, with a digest of its content so that an upgrade is seen at once."""
    return f"{django_static(path)}{_version(path)}"


@cache
def _version(path: str) -> str:
    found = finders.find(path)
    if not found:
        return ""
    return f"?v={blake2b(Path(str(found)).read_bytes(), digest_size=6).hexdigest()}"
