"""The order numbers a query means, chunk by chunk: what a batch freezes before anything happens to the orders."""

from __future__ import annotations

from typing import Any

from chadan.platform.scope import Scope, scoped
from chadan.search import service
from chadan.search.compiler_export import Chunk, page_numbers_statement
from chadan.search.order_query import OrderQuery

Place = dict[str, Any]
"""Where the next chunk begins, JSON-ready; empty at the beginning."""


def numbers_after(
    scope: Scope, query: OrderQuery, view: str | None, *, upto: int, place: Place, size: int, seconds: int = 0
) -> tuple[list[int], Place | None]:
    """The next numbers behind `place`, none past the bound `upto`, at most about `size`; and the place behind them, None at the end.

    All orders of an open query come by number, newest first. One that stops at a limit in an order of its own ("the ten dearest")
    is read in that order. A rare filter may read for minutes: `seconds` bounds each statement, 0 none. Raises Forbidden when the scope may not ask the query.
    """
    if query.limit is not None and query.sort is not None and query.sort.by != "placed_at":
        return _ranked(scope, query, view, upto, place, size)
    left = place.get("left", query.limit)
    wanted = size if left is None else min(size, left)
    oldest_first = query.sort is not None and query.sort.by == "placed_at" and query.sort.dir == "asc"
    chunk = Chunk(place.get("last"), upto, wanted, descending=not oldest_first)
    with scoped(scope) as session:
        session.enter()
        session.connection.execute(f"set local statement_timeout = {int(seconds) * 1000}")
        found = service.prepare(session, scope, query, view)
        if found.nothing or not wanted:
            return [], None
        statement = page_numbers_statement(found, chunk)
        numbers = [row[0] for row in session.rows(statement.text, statement.params, search=found.search)]
    left = None if left is None else left - len(numbers)
    if len(numbers) < wanted or left == 0:
        return numbers, None
    return numbers, {"last": numbers[-1]} if left is None else {"last": numbers[-1], "left": left}


def _ranked(  # noqa: PLR0917 - a question and a place
    scope: Scope, query: OrderQuery, view: str | None, upto: int, place: Place, size: int
) -> tuple[list[int], Place | None]:
    page = service.find_orders(scope, query, view, place.get("cursor"), min(size, 1000))
    numbers = [row.order_no for row in page.rows if row.order_no < upto]
    return numbers, {"cursor": page.next_cursor} if page.next_cursor else None
