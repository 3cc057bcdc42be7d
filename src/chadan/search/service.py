"""Finding orders: lists, counts, tabs, neighbours. Pages, API and jobs call these and nothing below them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from chadan.orders import number
from chadan.orders.states import OrderStatus
from chadan.platform.scope import Scope, Session, scoped
from chadan.search import compiler
from chadan.search.cursor import Cursor, decode, encode
from chadan.search.filters import Filter, build
from chadan.search.names import resolve
from chadan.search.order_query import OrderQuery, TimeRange
from chadan.search.permitted import Permitted
from chadan.search.rows import OrderRow

PAGE = 50


class Page(NamedTuple):
    """A page of orders and the cursors of the pages beside it (None at the ends)."""

    rows: list[OrderRow]
    next_cursor: str | None
    previous_cursor: str | None
    has_more: bool


class Count(NamedTuple):
    """How many orders match; past 1,000 an estimate."""

    total: int
    exact: bool

    @property
    def shown(self) -> str:
        """The number for people: an estimate claims two digits, no more."""
        unit = 1 if self.exact else 10 ** max(0, len(str(self.total)) - 2)
        return f"{(self.total + unit // 2) // unit * unit:,}"

    def at_most(self, limit: int | None) -> Count:
        """The count of a query that stops at `limit`."""
        return self if limit is None or self.total <= limit else Count(limit, exact=True)


class Older(NamedTuple):
    """Orders that match but for the time filter, placed before it starts."""

    newest: datetime
    total: int
    exact: bool


def prepare(
    session: Session, scope: Scope, query: OrderQuery, view: str | None = None, *, status: bool = True
) -> Filter:
    """The query's filter, its names looked up. Raises Forbidden when the scope may not ask the query."""
    asked = Permitted(scope, query, view)
    return build(asked, resolve(session, asked), status=status)


def find_orders(
    scope: Scope,
    query: OrderQuery,
    view: str | None = None,
    cursor: str | None = None,
    limit: int = PAGE,
    *,
    now: datetime | None = None,
) -> Page:
    """One page of the orders `query` means within `scope`.

    `view` overrides the query's role view (`purchases` is an agent's buying side). `query.limit` caps all pages
    together, `limit` one of them. Raises InvalidQuery for a damaged cursor and for one of another query or scope,
    Forbidden for a query the scope may not ask.
    """
    at = decode(cursor, scope, query, view) if cursor else None
    seen = at.seen if at else 0
    size = max(1, limit if query.limit is None or (at and at.back) else min(limit, query.limit - seen))
    order = compiler.order_of(query.sort)
    asked = scope, query, view
    with scoped(scope) as session:
        found = prepare(session, *asked)
        rows = read_rows(session, found, order, at, size + 1, now=now, view=view or query.role_view)
    more = len(rows) > size
    rows = rows[:size]
    if at and at.back:
        rows.reverse()
        return _page(asked, order, rows, ahead=bool(rows), behind=more, seen=max(0, seen - len(rows)))
    capped = query.limit is not None and seen + len(rows) >= query.limit
    return _page(asked, order, rows, ahead=more and not capped, behind=at is not None and bool(rows), seen=seen)


def _page(
    asked: tuple[Scope, OrderQuery, str | None],
    order: compiler.Order,
    rows: list[OrderRow],
    *,
    ahead: bool,
    behind: bool,
    seen: int,
) -> Page:
    def mark(row: OrderRow, *, back: bool, seen: int) -> str:
        value = compiler.cursor_value(order, row.amount, row.paid_at)
        return encode(Cursor(row.order_no, value, back, seen), *asked)

    following = mark(rows[-1], back=False, seen=seen + len(rows)) if ahead and rows else None
    before = mark(rows[0], back=True, seen=seen) if behind and rows else None
    return Page(rows, following, before, ahead)


def read_rows(
    session: Session,
    found: Filter,
    order: compiler.Order,
    cursor: Cursor | None,
    limit: int,
    *,
    now: datetime | None = None,
    view: str | None = None,
) -> list[OrderRow]:
    """Up to `limit` rows after `cursor` (before it, nearest first, when it points back)."""
    if found.nothing or limit < 1:
        return []
    rows: list[OrderRow] = []
    for segment in compiler.segments(found, order, cursor, now or number.now()):
        wanted = limit - len(rows)
        if found.search:
            rows.extend(_searched(session, found, segment, wanted, view))
        else:
            statement = compiler.list_statement(found, segment, wanted)
            rows.extend(map(OrderRow._make, session.rows(statement.text, statement.params)))
        if len(rows) >= limit:
            break
    return rows


def _searched(
    session: Session, found: Filter, segment: compiler.Segment, limit: int, view: str | None
) -> list[OrderRow]:
    """The search role reads nothing but numbers; the rows are read under the policies."""
    statement = compiler.numbers_statement(found, segment, limit)
    numbers = [row[0] for row in session.rows(statement.text, statement.params, search=True)]
    if not numbers:
        return []
    known = compiler.rows_statement(numbers, session.scope, view)
    by_number = {row[0]: OrderRow._make(row) for row in session.rows(known.text, known.params)}
    return [by_number[order_no] for order_no in numbers if order_no in by_number]


def count_orders(scope: Scope, query: OrderQuery, view: str | None = None) -> Count:
    """How many orders match: exact up to 1,000, the planner's estimate beyond. `query.limit` does not matter."""
    with scoped(scope) as session:
        return count_in(session, prepare(session, scope, query, view))


def count_in(session: Session, found: Filter) -> Count:
    """`count_orders` inside an open session."""
    if found.nothing:
        return Count(0, exact=True)
    statement = compiler.count_statement(found)
    counted = int(session.rows(statement.text, statement.params, search=found.search)[0][0])
    if counted < compiler.COUNT_CAP:
        return Count(counted, exact=True)
    return Count(max(counted, _estimate(session, found)), exact=False)


def _estimate(session: Session, found: Filter) -> int:
    """The planner's guess, as the search role: it would take the application's policies for conditions that hold now and then."""
    statement = compiler.estimate_statement(found)
    plan = session.rows(statement.text, statement.params, search=True)[0][0]
    plan = msgspec.json.decode(plan) if isinstance(plan, (str, bytes)) else plan
    return int(plan[0]["Plan"]["Plan Rows"])


def status_counts(scope: Scope, query: OrderQuery, view: str | None = None) -> dict[OrderStatus, Count]:
    """How many orders each status tab holds under the rest of the filter; 1,001 and `exact=False` at the cap."""
    with scoped(scope) as session:
        found = prepare(session, scope, query, view, status=False)
        if found.nothing:
            counts = {}
        else:
            statement = compiler.status_counts_statement(found, len(OrderStatus))
            counts = dict(session.rows(statement.text, statement.params, search=found.search))
    cap = compiler.COUNT_CAP
    return {word: Count(counts.get(word.code, 0), counts.get(word.code, 0) < cap) for word in OrderStatus}


def matching(scope: Scope, query: OrderQuery, tabs: Mapping[OrderStatus, Count], view: str | None = None) -> Count:
    """How many orders a list holds, from what `status_counts` said of its tabs; the planner is asked only past a cap."""
    held = [tabs[word] for word in query.status or tuple(OrderStatus)]
    total = Count(sum(count.total for count in held), all(count.exact for count in held))
    if not total.exact:
        with scoped(scope) as session:
            estimate = _estimate(session, prepare(session, scope, query, view))
        total = Count(max(total.total, estimate), exact=False)
    return total.at_most(query.limit)


def looks_back(query: OrderQuery) -> bool:
    """Whether the query is about orders placed since some moment, so that older ones may match."""
    return query.time is not None and query.time.field == "placed" and query.time.start is not None


def older_matches(scope: Scope, query: OrderQuery, view: str | None = None) -> Older | None:
    """When a window found nothing: whether orders placed before it match, how many, and when the newest was placed."""
    time = query.time
    if time is None or time.start is None or not looks_back(query):
        return None
    older = query.replace(time=TimeRange(field="placed", end=time.start), sort=None, limit=None)
    with scoped(scope) as session:
        found = prepare(session, scope, older, view)
        newest = read_rows(session, found, compiler.Order(), None, 1, now=time.start, view=view or query.role_view)
        if not newest:
            return None
        count = count_in(session, found)
    return Older(newest[0].placed_at, *count)


def neighbours(
    scope: Scope, query: OrderQuery, order_no: int, view: str | None = None
) -> tuple[int | None, int | None]:
    """The order numbers before and after `order_no` in the list `query` shows; None at an end.

    The order itself need not match any more (its status may just have changed); (None, None) when it is out of scope.
    """
    order = compiler.order_of(query.sort)
    with scoped(scope) as session:
        known = compiler.rows_statement([order_no], scope, view or query.role_view)
        rows = session.rows(known.text, known.params)
        if not rows:
            return None, None
        row = OrderRow._make(rows[0])
        found = prepare(session, scope, query, view)
        value = compiler.cursor_value(order, row.amount, row.paid_at)
        beside = [
            read_rows(session, found, order, Cursor(order_no, value, back), 1, view=view or query.role_view)
            for back in (True, False)
        ]
    before, after = (side[0].order_no if side else None for side in beside)
    return before, after
