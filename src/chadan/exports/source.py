"""Reads the orders of an export, chunk by chunk, each chunk in its own short transaction.

No transaction stays open for the length of an export, so nothing holds back the database's clean-up. The order number
bound fixed at the request keeps later orders out; a row is as it stood when its chunk was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chadan.platform.scope import Scope, Session, scoped
from chadan.search import compiler_export as sql
from chadan.search.filters import Filter
from chadan.search.order_query import OrderQuery
from chadan.search.scope_sql import Sql
from chadan.search.service import prepare


@dataclass(frozen=True, slots=True)
class Request:
    """Which orders, for whom: everything but how they are rendered. `selection` are order numbers."""

    scope: Scope
    query: OrderQuery
    view: str | None
    upto: int
    selection: tuple[int, ...] | None = None

    @property
    def descending(self) -> bool:
        """Newest first, unless the query asks for the oldest first."""
        sort = self.query.sort
        return not (sort and sort.by == "placed_at" and sort.dir == "asc")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A chunk as the database rendered it: text lines (CSV) or rows of cells, how many, and its last order number."""

    rows: int
    last: int
    text: str = ""
    cells: Sequence[Sequence[str]] = ()


def count(request: Request, cap: int) -> int:
    """How many orders the export holds; counting stops at `cap`."""
    with scoped(request.scope) as session:
        _patient(session)
        if request.selection is not None:
            statement = sql.selected_total_statement(request.selection, request.scope, _view(request))
            found = int(session.rows(statement.text, statement.params)[0][0])
        else:
            filtered = prepare(session, request.scope, request.query, request.view)
            if filtered.nothing:
                return 0
            statement = sql.total_statement(filtered, request.upto, cap)
            found = int(session.rows(statement.text, statement.params, search=filtered.search)[0][0])
    limit = request.query.limit
    return found if limit is None else min(found, limit)


class Reader:
    """The export's orders from any point on."""

    def __init__(self, request: Request, shape: sql.Shape) -> None:
        self._request = request
        self._shape = shape
        self._filter: Filter | None = None

    def after(self, last: int | None, limit: int) -> Rendered:
        """The next `limit` orders behind order number `last`; fewer, or none, at the end."""
        request = self._request
        chunk = sql.Chunk(last, request.upto, limit, request.descending)
        with scoped(request.scope) as session:
            _patient(session)
            page = self._page(session, chunk)
            if page is None:
                return Rendered(0, last or 0)
            statement = sql.chunk_statement(page, self._shape, descending=request.descending)
            rows = session.rows(statement.text, statement.params)
        return self._rendered(rows, last or 0)

    def _page(self, session: Session, chunk: sql.Chunk) -> Sql | None:
        """The statement of the page of orders; None when there is nothing more."""
        request = self._request
        if request.selection is not None:
            return sql.selected_statement(request.selection, request.scope, _view(request), chunk)
        if self._filter is None:
            self._filter = prepare(session, request.scope, request.query, request.view)
        if self._filter.nothing:
            return None
        if not self._filter.search:
            return sql.page_statement(self._filter, chunk)
        found = sql.page_numbers_statement(self._filter, chunk)
        numbers = [row[0] for row in session.rows(found.text, found.params, search=True)]
        return sql.selected_statement(numbers, request.scope, _view(request), chunk) if numbers else None

    def _rendered(self, rows: list[tuple[Any, ...]], last: int) -> Rendered:
        if self._shape.flavour is sql.Flavour.CELLS:
            cells = [row[1:] for row in rows]
            return Rendered(len(cells), rows[-1][0] if rows else last, cells=cells)
        number, end, text = rows[0]
        return Rendered(number, end or last, text=text or "")


def _view(request: Request) -> str | None:
    return request.view or request.query.role_view


def _patient(session: Session) -> None:
    """A chunk of a rare filter may read for minutes; times are rendered as ISO text."""
    session.enter()
    session.connection.execute("set local statement_timeout = 0; set local datestyle = 'ISO, YMD'")
