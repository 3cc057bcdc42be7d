"""`/_kit`: every component in every state, and three sample pages. It reads no data, so anybody may look."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import segno
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from markupsafe import Markup

from chadan.orders.states import OrderStatus
from chadan.web import kit_data

PAGES = ("list", "detail", "sign-in", "error")


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """The gallery. `?as=buyer` shows another capacity's frame."""
    return render(request, "kit/index.html", _context(request))


@require_safe
def sample(request: HttpRequest, page: str) -> HttpResponse:
    """A whole page made of the components: list, detail, sign-in or error. Raises Http404 for any other."""
    if page not in PAGES:
        raise Http404
    return render(request, f"kit/{page.replace('-', '_')}.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    asked = request.GET.get("as", "")
    now: datetime = timezone.now()
    return {
        **kit_data.frame(asked if asked in kit_data.KINDS else "merchant"),
        "kinds": kit_data.KINDS,
        "pages": PAGES,
        "statuses": list(OrderStatus),
        "orders": kit_data.orders(now),
        "events": kit_data.events(now),
        "forms": kit_data.forms_shown(),
        "qr_code": _qr("https://qr.alipay.com/fkx19730000example"),
    }


@cache
def _qr(text: str) -> Markup:
    # Colours as attributes: an inline style would break the content security policy.
    code = segno.make(text, error="m")
    return Markup(code.svg_inline(border=0, dark="#1a1d23", omitsize=True, svgclass=None, lineclass=None))  # noqa: S704
