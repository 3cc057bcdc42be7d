"""The pages of one rule, under /m/tags/rules."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chadan.accounts.actors import Actor, Permission
from chadan.orders import number
from chadan.orders.remarks import tags_of
from chadan.platform.errors import ChadanError, InvalidInput
from chadan.search.beside import Beside
from chadan.search.chips import chips
from chadan.search.grammar_render import render as rendered
from chadan.search.order_query import OrderQuery
from chadan.tagging import rules, tags
from chadan.tagging.models import TagRule
from chadan.tagging.pages import QUIET, staff_only, to_tags
from chadan.tagging.rules import Wanted
from chadan.web.posting import form_of


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """An empty form, or one for the search text an address brings (`text`); a POST previews or makes the rule."""
    actor.require(Permission.MANAGE)
    rules.shop_of(actor)
    if request.method == "POST":
        return _posted(request, actor, None)
    return _form(request, actor, None, Wanted(text=request.GET.get("text", "")[:2000]))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def rule(request: HttpRequest, actor: Actor, rule_id: int) -> HttpResponse:
    """A rule's form, with how many orders match now; a POST previews or saves."""
    found = rules.rule_of(actor, rule_id)
    actor.require(Permission.MANAGE)
    if request.method == "POST":
        return _posted(request, actor, found)
    try:
        wanted = rules.wanted_of(found)
    except ChadanError as error:
        return _form(request, actor, found, Wanted(found.name, found.tag.name), error=error)
    return _form(request, actor, found, wanted, counted=True)


@form_of(to_tags)
@staff_only
def do(request: HttpRequest, actor: Actor, rule_id: int) -> HttpResponse:
    """Switches a rule `on` or `off`, applies it to the orders that are there (`apply`), deletes it (`delete`)."""
    found = rules.rule_of(actor, rule_id)
    what = request.POST.get("do", "")
    try:
        if what in ("on", "off"):
            rules.switch(actor, found, on=what == "on")
        elif what == "apply":
            tags.apply(actor, found)
            messages.success(request, _("The rule is being applied."))
        elif what == "delete":
            rules.delete(actor, found)
            messages.success(request, _("The rule is deleted. What it tagged stays tagged."))
    except QUIET:
        raise
    except ChadanError as error:
        messages.error(request, str(error))
    return redirect("tagging:tags")


@form_of(to_tags)
@staff_only
def ready(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Switches a ready-made rule on."""
    try:
        rules.switch_on_ready_made(actor, request.POST.get("which", ""))
        messages.success(request, _("The rule is on: it tags orders from now on."))
    except QUIET:
        raise
    except ChadanError as error:
        messages.error(request, str(error))
    return redirect("tagging:tags")


def _posted(request: HttpRequest, actor: Actor, found: TagRule | None) -> HttpResponse:
    wanted = Wanted(text=_text(request.POST))
    try:
        wanted = _wanted(request.POST)
        if request.POST.get("do") == "preview" or "without" in request.POST:
            return _form(request, actor, found, wanted, counted=True)
        saved = rules.save(actor, wanted, found, enabled=request.POST.get("enabled") == "1")
    except QUIET:
        raise
    except ChadanError as error:
        return _form(request, actor, found, wanted, error=error)
    messages.success(request, _("The rule is saved."))
    if request.POST.get("do") == "apply":
        tags.apply(actor, saved)
    return redirect("tagging:tags")


def _text(sent: QueryDict) -> str:
    """The search text; a chip's cross sends what is left without it."""
    return sent.get("without", sent.get("text", ""))


def _wanted(sent: QueryDict) -> Wanted:
    return Wanted(
        name=sent.get("name", ""),
        tag=sent.get("tag", ""),
        text=_text(sent),
        beside=Beside(_whole(sent, "buyer_orders"), _whole(sent, "buyer_days"), sent.get("overdue") == "1"),
        removes=sent.get("removes") == "1",
    )


def _whole(sent: QueryDict, name: str) -> int | None:
    typed = sent.get(name, "").strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 7):
        raise InvalidInput(_("Write a whole number."), field=name)
    return int(typed)


def _form(
    request: HttpRequest,
    actor: Actor,
    found: TagRule | None,
    wanted: Wanted,
    *,
    counted: bool = False,
    error: ChadanError | None = None,
) -> HttpResponse:
    """The form with what is wrong, or with its conditions as chips and how many orders match."""
    query, preview = None, None
    if error is None and (counted or wanted.text):
        try:
            query = rules.read(actor, wanted.text)
            preview = rules.preview(actor, query, wanted.beside) if counted else None
        except QUIET:
            raise
        except ChadanError as problem:
            error = problem
    context = {
        "title": _("Rule %(name)s") % {"name": found.name} if found else _("New rule"),
        "rule": found,
        "wanted": wanted,
        "here": reverse("tagging:rule", args=[found.pk]) if found else reverse("tagging:new-rule"),
        "enabled": found.enabled if found else True,
        "known_tags": tags_of(actor),
        "chips": _chips(query) if query else [],
        "preview": preview,
        "error": str(error) if error else "",
        "wrong": error.field if error else "",
    }
    return render(request, "tagging/rule.html", context, status=error.status if error else 200)


def _chips(query: OrderQuery) -> list[dict[str, Any]]:
    return [
        {"label": chip.label, "text": chip.text, "without": rendered(chip.without)}
        for chip in chips(query, now=number.now())
    ]
