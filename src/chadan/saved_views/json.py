"""Saved views as the API writes and reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chadan.accounts.actors import Actor
from chadan.orders import number
from chadan.saved_views.models import SavedView
from chadan.saved_views.opening import open_view
from chadan.saved_views.services import Held, Shown, may_change
from chadan.search.order_query import OrderQuery

Json = dict[str, Any]
FIELDS = ("name", "query", "view", "date", "q", "columns", "shared", "pinned", "default")


def view_json(actor: Actor, view: SavedView, held: Held) -> Json:
    """A view as the actor may know it: what the actor may not ask about is left out, and `hidden` says so."""
    opened = open_view(actor, view, number.now())
    return {
        "id": view.pk,
        "name": view.name,
        "view": view.side or None,
        "query": opened.filters.to_dict(),
        "date": opened.date or None,
        "q": opened.typed or None,
        "columns": view.columns,
        "shared": view.shared,
        "pinned": view.pinned,
        "default": held.defaults.get(view.side) == view.pk,
        "may_change": may_change(actor, view),
        "hidden": list(opened.hidden),
    }


def shown_in(data: Mapping[str, Any], before: Shown | None = None) -> Shown:
    """What a body describes; what it leaves out stays as `before`. Raises InvalidQuery."""
    before = before or Shown(OrderQuery())
    return Shown(
        OrderQuery.from_dict(data["query"]) if "query" in data else before.filters,
        data["view"] or "" if "view" in data else before.side,
        data["date"] or "" if "date" in data else "" if "query" in data else before.date,
        data["q"] or "" if "q" in data else before.typed,
        tuple(data["columns"]) if "columns" in data else before.columns,
        before.size,
    )


def stored(view: SavedView) -> Shown:
    """What a view holds, as it is stored."""
    filters = OrderQuery.from_dict(view.filters)
    return Shown(filters, view.side, view.date, view.typed, tuple(view.columns), view.size)
