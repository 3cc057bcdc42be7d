"""Reads the orders of an export, chunk by chunk, each chunk in its own short transaction.

No transaction stays open for the length of an export, so nothing holds back the database's clean-up. The order number
bound fixed at the request keeps later orders out; a row is as it stood when its chunk was read.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections

from chadan.exports.columns import Column
from chadan.exports.derived import Versions, placed_texts
from chadan.exports.kinds import Cell
from chadan.exports.values import Finish
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
class Rows:
    """A chunk by columns, ready for a sink, and its last order number."""

    count: int
    last: int
    columns: Sequence[Sequence[Cell]] = ()


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

    def __init__(self, request: Request, columns: Sequence[Column], moments: sql.Moments, finish: Finish) -> None:
        self._request = request
        self._columns = columns
        self._moments = moments
        self._finish = finish
        self._names = sql.read_columns(columns, moments)
        self._versions = Versions([column for column in columns if column in sql.VERSION_VALUES])
        self._filter: Filter | None = None

    def after(self, last: int | None, limit: int) -> Rows:
        """The next `limit` orders behind order number `last`; fewer, or none, at the end."""
        return self._finished(self._read(last, limit))

    def _finished(self, raw: Rows) -> Rows:
        return replace(raw, columns=self._finish(raw.columns)) if raw.count else raw

    def _read(self, last: int | None, limit: int) -> Rows:
        """The next orders, their values as the database writes them."""
        request = self._request
        chunk = sql.Chunk(last, request.upto, limit, request.descending)
        with scoped(request.scope) as session:
            _patient(session)
            page = self._page(session, chunk)
            if page is None:
                return Rows(0, last or 0)
            plain = sql.rows_statement(page, self._names, self._moments, descending=request.descending)
            packed = sql.packed_statement(plain, self._names)
            count, *texts = session.rows(packed.text, packed.params)[0]
            if not count:
                return Rows(0, last or 0)
            columns: list[Sequence[Any]] = [_unpacked(text) for text in texts]
            if any(len(values) != count for values in columns):
                rows = session.rows(plain.text, plain.params)
                columns = [list(map(str, values)) if not at else values for at, values in enumerate(zip(*rows, strict=True))]
            known = dict(zip(("no", *self._names), columns, strict=True))
            if sql.VERSION in known:
                self._versions.learn(session, known[sql.VERSION])
        return Rows(count, int(columns[0][-1]), [self._values(column, known) for column in self._columns])

    def _values(self, column: Column, known: dict[str, Sequence[Any]]) -> Sequence[Any]:
        """A column as the database would write it, from what was read."""
        if column.value in known:
            return known[column.value]
        if column in sql.VERSION_VALUES:
            return self._versions.values(column, known[sql.VERSION])
        return known["no"] if column is Column.ORDER_NO else placed_texts(known["no"])

    def ahead(self, last: int | None, size: int, most: int | None = None) -> Generator[Rows, None, None]:
        """All chunks behind `last`, `size` orders each and `most` in all; the next is read while one is being used.

        Reading happens in a thread with its own connection, which is closed at the end. Rendering is left to the caller's
        thread: the database works meanwhile.
        """
        left = most
        with ThreadPoolExecutor(1, "export-reader") as reader:
            try:
                wanted = size if left is None else min(size, left)
                coming = reader.submit(self._read, last, wanted) if wanted else None
                while coming is not None and (chunk := coming.result()).count:
                    left = None if left is None else left - chunk.count
                    following = size if left is None else min(size, left)
                    more = chunk.count == wanted and following > 0
                    wanted = following
                    coming = reader.submit(self._read, chunk.last, wanted) if more else None
                    yield self._finished(chunk)
            finally:
                reader.submit(connections.close_all)

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


def _unpacked(text: str) -> list[str | None]:
    values: list[str | None] = [*text.split(sql.SEPARATOR)]
    return [None if value == sql.NULL else value for value in values] if sql.NULL in text else values


def _view(request: Request) -> str | None:
    return request.view or request.query.role_view


def _patient(session: Session) -> None:
    """A chunk of a rare filter may read for minutes; names are looked up row by row, or a chunk would read them all."""
    session.enter()
    session.connection.execute(
        "set local statement_timeout = 0; set local datestyle = 'ISO, YMD'; set local timezone = 'Asia/Shanghai';"
        " set local enable_mergejoin = off; set local enable_hashjoin = off"
    )
