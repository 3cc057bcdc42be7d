"""What is done to many orders of a list at once: the ticked ones, or all that the list's filter means."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chadan.accounts.actors import Actor, Permission
from chadan.orders import number, remarks
from chadan.platform.errors import ChadanError, InvalidInput, InvalidQuery
from chadan.search import readings, service
from chadan.search.chips import Chip, chips
from chadan.web.orders.areas import Area, in_area
from chadan.web.orders.state import ListState
from chadan.web.posting import form_of

MOST = 5000
"""More orders than this are not acted on in one request."""
CHUNK = 200
"""Orders a transaction: their rows are locked for a moment only."""


class Everything(NamedTuple):
    """All orders of a list: their numbers, what they come to in fen, the filter in words."""

    numbers: list[int]
    amount: int
    chips: list[Chip]


@form_of(lambda area: area.path)
@in_area
def tag_selected(request: HttpRequest, area: Area, actor: Actor) -> HttpResponse:
    """Tags the ticked orders of a page, all or none, or the whole list once its size was confirmed, and goes back to the list."""
    name = request.POST.get("name", "")
    try:
        if request.POST.get("everything"):
            actor.require(Permission.TAG)
            remarks.check_tag(name)
            every = _everything(request.POST, area, actor)
            if request.POST.get("count") != str(len(every.numbers)):
                return _confirm(request, area, every)
            added = _tag_in_chunks(actor, every.numbers, name)
        else:
            added = remarks.add_tag(actor, _ticked(request.POST), name)
        messages.success(request, ngettext("%(n)d order tagged.", "%(n)d orders tagged.", added) % {"n": added})
    except ChadanError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(_back(request, area))


def _ticked(parameters: QueryDict) -> list[int]:
    """The ticked orders. Raises InvalidInput when there are none, or something else was sent."""
    values = parameters.getlist("selected")
    if not values:
        raise InvalidInput(_("Tick the orders first."), field="selected")
    numbers = [one for value in values if (one := number.parse(value)) is not None]
    if len(numbers) != len(values):
        raise InvalidInput(_("That is not an order number."), field="selected")
    return numbers


def _everything(parameters: QueryDict, area: Area, actor: Actor) -> Everything:
    """All orders of the list the form stands on. Raises InvalidQuery, InvalidInput when there are more than MOST."""
    state = ListState.read(QueryDict(parameters.get("within", "")), area, actor)
    query, page = readings.find(actor.scope, [state.query, *state.others], view=state.view, limit=MOST + 1)
    if complaint := state.complaint(found=bool(page.rows)):
        raise InvalidQuery(complaint, field="q")
    if len(page.rows) > MOST:
        count = service.count_orders(actor.scope, query, view=state.view)
        raise InvalidInput(
            _("About %(count)s orders match; at most %(most)s can be tagged at once.")
            % {"count": service.Count(max(count.total, MOST + 1), exact=False).shown, "most": f"{MOST:,}"},
            hint=_("Narrow the filter, for example to one month."),
        )
    amount = sum(row.amount for row in page.rows)
    return Everything([row.order_no for row in page.rows], amount, chips(query, now=number.now()))


def _tag_in_chunks(actor: Actor, numbers: list[int], name: str) -> int:
    """Tags the orders in short transactions; one that is interrupted is simply done again. Returns how many are new."""
    pieces = (numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK))
    return sum(remarks.add_tag(actor, piece, name) for piece in pieces)


def _confirm(request: HttpRequest, area: Area, every: Everything) -> HttpResponse:
    """Says how many orders there are and what they come to, before anything happens."""
    context = {
        "title": _("Add tag"),
        "area": area,
        "count": len(every.numbers),
        "amount": every.amount,
        "chips": every.chips,
        "name": request.POST.get("name", "").strip(),
        "kept": [(key, request.POST.get(key, "")) for key in ("within", "next", "name")],
        "back_url": _back(request, area),
    }
    return render(request, "orders/tag_all.html", context)


def _back(request: HttpRequest, area: Area) -> str:
    back = request.POST.get("next", "")
    return back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else area.path
