"""The page of the search history, and the command palette as a page and as the list its dialog loads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chadan.accounts.actors import Actor
from chadan.platform.errors import NotFound
from chadan.recall import services
from chadan.recall.items import groups
from chadan.recall.on_list import link
from chadan.web.context import capacity_label
from chadan.web.orders.areas import area_of
from chadan.web.posting import form_of

View = Callable[[HttpRequest, Actor], HttpResponse]


def _own(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Gives the view the capacity that `as` names, if the person holds it, else the acting one; sends strangers to the login page."""

    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        held: list[Actor] = request.capacities  # type: ignore[attr-defined]  # accounts.middleware
        asked = request.POST.get("as") or request.GET.get("as", "")
        actor: Actor | None = next((one for one in held if one.key == asked), request.actor)  # type: ignore[attr-defined]
        if not actor:  # a lazy one of somebody who holds nothing is no None
            raise NotFound(_("There is no such page or order."))
        request.actor = actor  # type: ignore[attr-defined]  # the layout shows who acts on this page
        response = view(request, actor)
        response["Cache-Control"] = "no-store"
        return response

    return wrapper


@require_safe
@_own
def history(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What one asked in this capacity, each with a button that deletes it."""
    area = area_of(actor)
    context = {
        "title": _("Recent searches"),
        "capacity": capacity_label(actor),
        "list_url": area.path,
        "asked": [(one, link(area, one.text)) for one in services.recent(actor)],
        "kept": services.KEPT,
    }
    return render(request, "recall/history.html", context)


@form_of(lambda: "/recall")
@_own
def forget(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Deletes the text `asked` names, or all of them for `all`; back to `next` where that is an address of this site."""
    asked = request.POST.get("asked", "")
    if asked == "all":
        services.forget(actor)
        messages.success(request, _("The search history is cleared."))
    elif asked.isascii() and asked.isdecimal() and len(asked) < 19:
        services.forget(actor, int(asked))
        messages.success(request, _("The search is removed from the history."))
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(back if safe else f"/recall?as={actor.key}")


@require_safe
@_own
def palette(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The palette as a page, for whoever has no scripts; with `q`, the list of orders that answers it."""
    if asked := request.GET.get("q", "").strip():
        return HttpResponseRedirect(link(area_of(actor), asked))
    context = {"title": _("Go to anything"), "groups": groups(actor), "list_url": area_of(actor).path}
    return render(request, "recall/palette.html", context)


@require_safe
@_own
def palette_items(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The options of the palette's list, a fragment."""
    return render(request, "recall/items.html", {"groups": groups(actor)})
