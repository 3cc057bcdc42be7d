"""The rows of an open list that changed, drawn anew, and how many new orders the list would show."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from chadan.accounts.actors import Actor
from chadan.orders import number
from chadan.platform.errors import InvalidQuery
from chadan.search import service
from chadan.search.order_query import IdMatch, OrderQuery
from chadan.web.orders.areas import Area, in_area
from chadan.web.orders.list_page import row_context
from chadan.web.orders.state import ListState

MOST = 100
"""Numbers a question may name: the rows of the longest page."""


@require_safe
@in_area
def rows(request: HttpRequest, area: Area, actor: Actor) -> HttpResponse:
    """`row`: numbers on the page, drawn whether they still match its filter or not, so that nothing vanishes under the
    cursor. `fresh`: numbers placed since, of which those are counted that the list's filter lets through.
    """
    asked = request.GET.copy()
    named, fresh = _numbers(asked, "row"), _numbers(asked, "fresh")
    try:
        state = ListState.read(asked, area, actor)
    except InvalidQuery:
        state = ListState.read(QueryDict(), area, actor)
    found = service.find_orders(actor.scope, _these(named), view=state.view, limit=MOST).rows if named else []
    new = 0
    if fresh and not state.query.order_no:
        new = service.count_orders(actor.scope, state.query.replace(order_no=IdMatch(equals=fresh)), state.view).total
    context = {
        **row_context(request, area, actor, state, found),
        "orders": found,
        "notice": ngettext(
            "There is %(n)d new order. Click to refresh.", "There are %(n)d new orders. Click to refresh.", new
        )
        % {"n": new}
        if new
        else "",
        "said": ngettext("%(n)d order has changed.", "%(n)d orders have changed.", len(found)) % {"n": len(found)}
        if found
        else "",
        "stale": _("Orders have changed. Click to refresh."),
    }
    return render(request, "orders/rows.html", context)


def _numbers(asked: QueryDict, name: str) -> tuple[str, ...]:
    """Takes a parameter with numbers separated by commas out of the address."""
    values = asked.pop(name, [])
    listed = ",".join(map(str, values)).split(",")
    return tuple(value for value in listed if value.isdecimal() and len(value) == number.LENGTH)[:MOST]


def _these(numbers: tuple[str, ...]) -> OrderQuery:
    return OrderQuery(order_no=IdMatch(equals=numbers))
