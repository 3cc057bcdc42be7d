"""A typed number can be several things: its readings are tried in turn until one finds an order."""

from __future__ import annotations

from typing import NamedTuple

from chadan.platform.errors import InvalidQuery
from chadan.platform.scope import Scope
from chadan.search import service
from chadan.search.grammar import Parsed
from chadan.search.order_query import OrderQuery


class Reading(NamedTuple):
    """The reading that was taken and its page."""

    query: OrderQuery
    page: service.Page


def candidates(filters: OrderQuery, parsed: Parsed | None) -> list[OrderQuery]:
    """The queries a search means, likeliest first: `filters` with each reading of the typed text."""
    if parsed is None:
        return [filters]
    return [filters.merged(reading) for reading in (parsed.query, *parsed.otherwise)]


def find(
    scope: Scope,
    queries: list[OrderQuery],
    *,
    view: str | None = None,
    cursor: str | None = None,
    limit: int = service.PAGE,
) -> Reading:
    """The first of `queries` that finds orders, else the first; with a cursor, the one the cursor is of.

    Raises InvalidQuery when the cursor is of none of them.
    """
    problem: InvalidQuery | None = None
    first: Reading | None = None
    for query in queries:
        try:
            page = service.find_orders(scope, query, view=view, cursor=cursor, limit=limit)
        except InvalidQuery as error:
            if cursor is None:
                raise
            problem = error
            continue
        if page.rows or cursor:
            return Reading(query, page)
        first = first or Reading(query, page)
    if first is None:
        raise problem or InvalidQuery("There is nothing to find.")
    return first
