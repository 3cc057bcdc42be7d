"""Reads the orders of an export, chunk by chunk, each chunk in its own short transaction.

No transaction stays open for the length of an export, so nothing holds back the database's clean-up. The order number
bound fixed at the request keeps later orders out; a row is as it stood when its chunk was read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connections

from chadan.batches import rows
from chadan.exports.columns import Column
from chadan.exports.derived import Memory, Words, placed_texts
from chadan.exports.kinds import Cell
from chadan.exports.packed import Packed, last_of, read_packed, unpacked
from chadan.exports.values import Finish
from chadan.platform.scope import Scope, Session, scoped
from chadan.search import compiler_export as sql
from chadan.search.filters import Filter
from chadan.search.order_query import OrderQuery
from chadan.search.scope_sql import Sql
from chadan.search.service import prepare

AHEAD = 3
"""Chunks read or being read while one is rendered: neither side waits for the other's slow moments."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which orders, for whom: everything but how they are rendered. `selection` are order numbers, `frozen` a batch's id."""

    scope: Scope
    query: OrderQuery
    view: str | None
    upto: int
    selection: tuple[int, ...] | None = None
    frozen: UUID | None = None

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


@dataclass(slots=True)
class Read:
    """A chunk as it was read: one text for each read column, or, where a text held a separator, a list of values."""

    count: int = 0
    last: int = 0
    columns: dict[str, Packed] = field(default_factory=dict)
    words: Words = field(default_factory=dict)


def count(request: Request, cap: int) -> int:
    """How many orders the export holds; counting stops at `cap`."""
    with scoped(request.scope) as session:
        _patient(session)
        if request.frozen is not None:
            return rows.frozen_count(session, request.frozen)
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
        self._memories = {name: Memory(sql.LOOKUPS[name], columns) for name in self._names if name in sql.LOOKUPS}
        self._filter: Filter | None = None

    def after(self, last: int | None, limit: int) -> Rows:
        """The next `limit` orders behind order number `last`; fewer, or none, at the end."""
        return self._opened(self._read(last, limit))

    def ahead(self, last: int | None, size: int, most: int | None = None) -> Generator[Rows, None, None]:
        """All chunks behind `last`, `size` orders each and `most` in all; the next ones are read while one is being used.

        Reading happens in a thread with its own connection, which is closed at the end. All else is left to the caller's
        thread: the database works meanwhile.
        """
        left = most

        def read() -> Read:
            nonlocal last, left
            wanted = size if left is None else min(size, left)
            chunk = self._read(last, wanted) if wanted else Read()
            last = chunk.last
            left = left if left is None else left - chunk.count
            if chunk.count < wanted:
                left = 0
            return chunk

        with ThreadPoolExecutor(1, "export-reader") as reader:
            coming: deque[Future[Read]] = deque(reader.submit(read) for _ in range(AHEAD))
            try:
                while (chunk := coming.popleft().result()).count:
                    coming.append(reader.submit(read))
                    yield self._opened(chunk)
            finally:
                for one in coming:
                    one.cancel()
                reader.submit(connections.close_all)

    def _read(self, last: int | None, limit: int) -> Read:
        """The next orders, their values as the database writes them."""
        request = self._request
        chunk = sql.Chunk(last, request.upto, limit, request.descending)
        with scoped(request.scope) as session:
            _patient(session)
            page = self._page(session, chunk)
            if page is None:
                return Read()
            plain = sql.rows_statement(page, self._names, self._moments, descending=request.descending)
            count, columns = read_packed(session, plain, self._names)
            if not count:
                return Read()
            read = Read(count, int(last_of(columns["no"])), columns)
            for name, memory in self._memories.items():
                ids = read.columns[name] = unpacked(read.columns[name])
                read.words.update(memory.words(session, ids))
        return read

    def _opened(self, read: Read) -> Rows:
        """The chunk by columns of cells."""
        if not read.count:
            return Rows(0, read.last)
        plain = {name: unpacked(values) for name, values in read.columns.items()}
        columns = [self._values(column, plain, read.words) for column in self._columns]
        return Rows(read.count, read.last, self._finish(columns))

    def _values(self, column: Column, plain: dict[str, list[Any]], words: Words) -> Sequence[Any]:
        """A column as the database would write it, from what was read."""
        if column.value in plain:
            return plain[column.value]
        if column in words:
            return list(map(words[column].__getitem__, plain[sql.KEY_OF[column]]))
        return plain["no"] if column is Column.ORDER_NO else placed_texts(plain["no"])

    def _page(self, session: Session, chunk: sql.Chunk) -> Sql | None:
        """The statement of the page of orders; None when there is nothing more."""
        request = self._request
        if request.frozen is not None:
            given = rows.frozen_page(
                session, request.frozen, chunk.bounds(), chunk.limit, descending=request.descending
            )
            return sql.selected_statement(given, request.scope, _view(request), chunk) if given else None
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


def _view(request: Request) -> str | None:
    return request.view or request.query.role_view


def _patient(session: Session) -> None:
    """A chunk of a rare filter may read for minutes; names are looked up row by row, or a chunk would read them all."""
    session.enter()
    session.connection.execute(
        "set local statement_timeout = 0; set local datestyle = 'ISO, YMD'; set local timezone = 'Asia/Shanghai';"
        " set local enable_mergejoin = off; set local enable_hashjoin = off"
    )
