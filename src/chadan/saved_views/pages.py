"""The pages of saved views: under each order list, /…/views."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chadan.accounts.actors import Actor
from chadan.platform.errors import ChadanError, Forbidden, InvalidInput, NotFound
from chadan.saved_views import services
from chadan.saved_views.models import SavedView
from chadan.saved_views.on_list import link, shown_of
from chadan.saved_views.opening import summary
from chadan.web.orders.areas import TITLES, Area, in_area
from chadan.web.orders.state import ListState
from chadan.web.posting import form_of

_QUIET = (Forbidden, NotFound)


@require_http_methods(["GET", "HEAD", "POST"])
@in_area
def views(request: HttpRequest, area: Area, actor: Actor) -> HttpResponse:
    """Every view of this list; a POST saves the list the form stands on (`within`) under a name and shows it."""
    if request.method == "POST":
        within = request.POST.get("within", "")
        try:
            view = services.save(
                actor,
                request.POST.get("name", ""),
                _shown(within, area, actor),
                shared=request.POST.get("shared") == "1",
                pinned=request.POST.get("pinned") == "1",
                default=request.POST.get("default") == "1",
            )
        except _QUIET:
            raise
        except ChadanError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(f"{area.path}?{within}" if within else area.path)
        messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
        return HttpResponseRedirect(link(area, view))
    held = services.held(actor)
    context = {
        "title": _("Saved views"),
        "area": area,
        "list_title": str(TITLES.get(area.kind, _("Orders"))),
        "views": [_card(area, actor, view, held) for view in held.views],
        "may_share": services.may_share(actor),
    }
    return render(request, "saved_views/views.html", context)


def _card(area: Area, actor: Actor, view: SavedView, held: services.Held) -> dict[str, object]:
    sides = dict(area.views)
    return {
        "view": view,
        "url": link(area, view),
        "summary": summary(actor, view),
        "side": str(sides.get(view.side, "")),
        "default": held.defaults.get(view.side) == view.pk,
        "may_change": services.may_change(actor, view),
    }


@form_of(lambda area, view_id: f"{area.path}/views")  # noqa: ARG005 - the list has every view
@in_area
def change(request: HttpRequest, area: Area, actor: Actor, view_id: int) -> HttpResponse:
    """What a button asks for: rename, update (to the list it stands on), pin, unpin, up, down, default, plain, share, keep, delete."""
    view = services.view_of(actor, view_id)
    what = request.POST.get("do", "")
    try:
        _done(request, area, actor, view, what)
    except _QUIET:
        raise
    except ChadanError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _said(what) % {"name": view.name})
    return HttpResponseRedirect(link(area, view) if what == "update" else f"{area.path}/views")


def _done(request: HttpRequest, area: Area, actor: Actor, view: SavedView, what: str) -> None:
    if what == "rename":
        services.update(actor, view, name=request.POST.get("name", ""))
    elif what == "update":
        services.update(actor, view, shown=_shown(request.POST.get("within", ""), area, actor))
    elif what in ("pin", "unpin"):
        services.update(actor, view, pinned=what == "pin")
    elif what in ("share", "keep"):
        services.update(actor, view, shared=what == "share")
    elif what in ("up", "down"):
        services.move(actor, view, up=what == "up")
    elif what in ("default", "plain"):
        services.set_default(actor, view, on=what == "default")
    elif what == "delete":
        services.delete(actor, view)
    else:
        raise InvalidInput(_("There is no such action."), field="do")


def _said(what: str) -> str:
    if what == "default":
        return _("The list opens with “%(name)s” from now on.")
    if what == "plain":
        return _("The list opens with the last 30 days again.")
    if what == "delete":
        return _("The view “%(name)s” is deleted.")
    return _("The view “%(name)s” is changed.")


def _shown(within: str, area: Area, actor: Actor) -> services.Shown:
    """The list an address shows, as a view keeps it. Raises InvalidQuery, Forbidden for what may not be asked."""
    return shown_of(ListState.read(QueryDict(within), area, actor))
