"""The page of a shop's tags: /m/tags."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import Tag
from chadan.orders import number
from chadan.platform.errors import ChadanError, Forbidden, InvalidInput, NotFound
from chadan.search.chips import chips
from chadan.tagging import rules
from chadan.tagging import tags as shop_tags
from chadan.tagging.models import TagRule
from chadan.tagging.rules import ReadyMade, shop_of
from chadan.tagging.ruling import Ruling
from chadan.web.orders.areas import MERCHANT, acting_in
from chadan.web.posting import form_of

QUIET = (Forbidden, NotFound)
"""Answered by the site's own pages; everything else is said on the page that asked."""
_COLOUR_WORDS = {
    "grey": gettext_lazy("Grey"),
    "red": gettext_lazy("Red"),
    "orange": gettext_lazy("Orange"),
    "amber": gettext_lazy("Amber"),
    "green": gettext_lazy("Green"),
    "teal": gettext_lazy("Teal"),
    "blue": gettext_lazy("Blue"),
    "indigo": gettext_lazy("Indigo"),
    "pink": gettext_lazy("Pink"),
}


staff_only = acting_in(MERCHANT)


def to_tags(**_given: Any) -> str:
    """The page the forms stand on."""
    return reverse("tagging:tags")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def tags(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The shop's tags, rules and jobs; a POST makes a tag."""
    if request.method == "POST":
        try:
            shop_tags.create(actor, request.POST.get("name", ""), request.POST.get("colour", "grey"))
            messages.success(request, _("The tag is made."))
        except QUIET:
            raise
        except ChadanError as error:
            messages.error(request, str(error))
        return redirect("tagging:tags")
    part = request.headers.get("HX-Target") == "tag-jobs"
    return render(request, "tagging/jobs.html" if part else "tagging/tags.html", context_of(actor))


def context_of(actor: Actor) -> dict[str, Any]:
    """What the page of tags shows."""
    shop_of(actor)
    jobs = shop_tags.jobs_of(actor)
    listed = rules.rules_of(actor)
    known = {rule.preset for rule in listed if rule.enabled}
    return {
        "title": _("Tags"),
        "tags": shop_tags.counted(actor),
        "colours": colour_choices(),
        "rules": [rule_card(rule) for rule in listed],
        "jobs": jobs,
        "live": any(job.running for job in jobs),
        "may_create": actor.may(Permission.TAG),
        "may_manage": actor.may(Permission.MANAGE),
        "ready": [(kind, title, ReadyMade.EXPLAINED[kind], kind in known) for kind, title in ReadyMade.TITLES.items()],
    }


def colour_choices() -> list[tuple[str, str]]:
    """The colours of tags with their names in the reader's language."""
    return [(colour, str(_COLOUR_WORDS[colour])) for colour in Tag.COLOURS]


def rule_card(rule: TagRule) -> dict[str, Any]:
    """A rule as the table shows it: what it asks, in words."""
    try:
        ruling = Ruling.of(rule)
    except ChadanError as error:
        return {"rule": rule, "parts": [], "error": str(error)}
    return {"rule": rule, "parts": parts_of(ruling), "error": rule.error}


def parts_of(ruling: Ruling) -> list[str]:
    """Every condition of a rule in words."""
    parts = [f"{chip.label}{_(':')} {chip.text}" for chip in chips(ruling.query, now=number.now())]
    if ruling.beside.overdue:
        parts.append(_("past the promised time"))
    if (least := ruling.beside.buyer_orders) is not None:
        if (days := ruling.beside.buyer_days) is None:
            parts.append(_("buyer has completed ≥ %(n)d orders") % {"n": least})
        else:
            parts.append(_("buyer has completed ≥ %(n)d orders in %(days)d days") % {"n": least, "days": days})
    return parts


@form_of(to_tags)
@staff_only
def change(request: HttpRequest, actor: Actor, tag_id: int) -> HttpResponse:
    """Another name or colour (`do=save`), or a merge into another tag (`do=merge`)."""
    tag = shop_tags.tag_of(actor, tag_id)
    try:
        if request.POST.get("do") == "merge":
            into = request.POST.get("into", "")
            if not (into.isascii() and into.isdecimal() and len(into) < 10):
                raise InvalidInput(_("Choose another tag to merge into."), field="into")
            shop_tags.merge(actor, tag, shop_tags.tag_of(actor, int(into)))
            messages.success(request, _("The tags are being merged."))
        else:
            shop_tags.change(actor, tag, name=request.POST.get("name"), colour=request.POST.get("colour"))
            messages.success(request, _("The tag is changed."))
    except QUIET:
        raise
    except ChadanError as error:
        messages.error(request, str(error))
    return redirect("tagging:tags")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def delete(request: HttpRequest, actor: Actor, tag_id: int) -> HttpResponse:
    """Says how many orders bear the tag and which rules put it on; a POST deletes it."""
    tag = shop_tags.tag_of(actor, tag_id)
    actor.require(Permission.MANAGE)
    if request.method == "POST":
        try:
            shop_tags.delete(actor, tag)
            messages.success(request, _("The tag is being deleted."))
        except QUIET:
            raise
        except ChadanError as error:
            messages.error(request, str(error))
        return redirect("tagging:tags")
    one = shop_tags.Counted(tag, shop_tags.count_of(actor, tag), tag.rules.count())
    sentence = ngettext("%(n)s order bears it.", "%(n)s orders bear it.", one.count.total) % {"n": one.shown}
    context = {"title": _("Delete the tag %(tag)s?") % {"tag": tag.name}, "one": one, "sentence": sentence}
    return render(request, "tagging/delete.html", context)


@form_of(to_tags)
@staff_only
def retry(request: HttpRequest, actor: Actor, job_id: int) -> HttpResponse:
    """Lets a job that failed go on."""
    try:
        shop_tags.retry(actor, job_id)
    except QUIET:
        raise
    except ChadanError as error:
        messages.error(request, str(error))
    return redirect("tagging:tags")
