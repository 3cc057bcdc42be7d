"""Saved views on the order list: which one an address opens, and what stands above the list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from chadan.accounts.actors import Actor
from chadan.asking.answering import listed
from chadan.platform.errors import InvalidQuery
from chadan.saved_views import services
from chadan.saved_views.models import SavedView
from chadan.saved_views.opening import open_view
from chadan.search.grammar_render import render
from chadan.web.orders.areas import Area
from chadan.web.orders.state import ListState, list_view

KEY = "saved"
"""The address's parameter that names the view a list was opened with."""
_SAY_NOTHING = frozenset({"view", "column", "size", KEY, "csrfmiddlewaretoken"})


@dataclass(frozen=True, slots=True)
class Opening:
    """A list's parameters once its view is opened in them, the view, and what was left out of it."""

    parameters: QueryDict
    held: services.Held
    view: SavedView | None = None
    hidden: tuple[str, ...] = ()
    default: bool = False
    """Whether this side of the list has a default view: a cleared list must say its window then."""
    error: str = field(default="")


def opening(parameters: QueryDict, area: Area, actor: Actor) -> Opening:
    """The list an address means: `saved=7` by itself opens the view, and so does a bare visit where there is a default.

    With filters of its own, an address only remembers the view they came from.
    """
    held = services.held(actor)
    side = list_view(parameters.get("view", ""), area, actor) or ""
    default = held.default(side)
    named = parameters.get(KEY, "")
    wanted = held.named(int(named)) if named.isascii() and named.isdecimal() and len(named) < 19 else None
    bare = not any(value for key, values in parameters.lists() if key not in _SAY_NOTHING for value in values)
    view = wanted or (default if bare and not named else None)
    if view is None or not bare:
        return Opening(parameters, held, view, default=default is not None)
    try:
        opened = open_view(actor, view)
    except InvalidQuery as problem:
        return Opening(parameters, held, default=default is not None, error=str(problem))
    filled = parameters.copy()
    filled[KEY] = str(view.pk)
    if view.side:
        filled["view"] = view.side
    for key, value in opened.pairs():
        filled.appendlist(key, value)
    if not filled.getlist("column"):
        filled.setlist("column", view.columns)
    if view.size and not filled.get("size"):
        filled["size"] = str(view.size)
    return Opening(filled, held, view, opened.hidden, default is not None)


def shown_of(state: ListState) -> services.Shown:
    """What a list shows, as a view keeps it. A bare visit's window is kept as a window."""
    columns = tuple(state.columns)
    size = next((int(value) for key, value in state.extra if key == "size"), None)
    date = "" if state.date in ("all", "custom") else state.date
    filters = listed(state.filters)
    return services.Shown(filters, state.view or "", date, state.q, columns, size)


def bar(area: Area, actor: Actor, state: ListState, found: Opening) -> dict[str, Any]:
    """What `components/saved_views.html` shows above the list."""
    side = state.view or ""
    view = found.view
    changed = view is not None and not _same(actor, view, state)
    return {
        "pinned": [
            {"text": one.name, "url": link(area, one), "active": view is not None and one.pk == view.pk}
            for one in found.held.pinned(side)
        ],
        "rest": [
            {"text": one.name, "url": link(area, one), "active": view is not None and one.pk == view.pk}
            for one in found.held.views
            if not one.pinned and one.side == side
        ],
        "view": view,
        "changed": changed,
        "may_update": view is not None and changed and services.may_change(actor, view),
        "may_share": services.may_share(actor),
        "manage_url": f"{area.path}/views",
        "within": state.text(),
        "rule_url": _rule_url(state) if services.may_share(actor) and state.view in ("sales", "agent") else "",
    }


def link(area: Area, view: SavedView) -> str:
    """The address that opens the view."""
    pairs = [("view", view.side)] if view.side else []
    return f"{area.path}?{urlencode([*pairs, (KEY, str(view.pk))])}"


def _same(actor: Actor, view: SavedView, state: ListState) -> bool:
    """Whether the list shows just what the view says to this actor."""
    opened = open_view(actor, view)
    shown = shown_of(state)
    return (
        (opened.filters, opened.typed, opened.date) == (shown.filters, shown.typed, shown.date)
        and (not shown.columns or list(shown.columns) == view.columns)
        and shown.size in (None, view.size)
    )


def _rule_url(state: ListState) -> str:
    """Where a rule for these orders is made: the filter without its time, which means nothing to a rule."""
    query = state.query.replace(time=None, sort=None, limit=None, role_view="agent" if state.view == "agent" else None)
    return "/m/tags/rules/new?" + urlencode({"text": render(query)})
