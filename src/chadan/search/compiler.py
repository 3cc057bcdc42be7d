"""Order lists and counts as PostgreSQL statements. Nothing else writes order lists (DESIGN §2.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chadan.orders import number
from chadan.platform.scope import Scope
from chadan.search.cursor import Cursor
from chadan.search.filters import Filter
from chadan.search.order_query import Sort
from chadan.search.scope_sql import Sql, among, joined, scope_predicate

COUNT_CAP = 1001
"""Counting stops here; beyond, the planner's estimate is shown."""

_ORDER_COLUMNS = (
    "o.order_no, o.home, o.merchant_id, o.buyer_id, o.agent_id, o.parent_order_no, o.version_id, o.category,"
    " o.face_value, o.quantity, o.status, o.has_after_sale, o.amount, o.paid, o.refunded, o.cost, o.fee, o.currency,"
    " o.payment_method, o.platform, o.supplier_id, o.escrow, o.account, o.note, o.source_order_no, o.tags, o.paid_at,"
    " o.delivered_at, o.completed_at, o.refunded_at, o.cancelled_at, o.updated_at"
)
ROW_COLUMNS = (
    f"{_ORDER_COLUMNS}, coalesce(v.product_id, 0), coalesce(v.title, ''), coalesce(v.brand, ''),"
    " coalesce(v.category_title, ''), coalesce(v.variant, ''), coalesce(v.delivery_kind, 0::smallint),"
    " coalesce(b.login, ''), coalesce(b.name, ''), coalesce(m.name, ''), coalesce(m.slug, ''),"
    " (select name from merchants where id = o.agent_id), (select name from suppliers where id = o.supplier_id)"
)
"""In the order of `rows.OrderRow`."""
# Laterals behind `offset 0` are never reordered: a join of six tables would take longer to plan than to run.
_NAMED = (
    " left join lateral (select product_id, title, brand, category_title, variant, delivery_kind"
    " from product_versions where id = o.version_id offset 0) v on true"
    " left join lateral (select login, name from buyers where id = o.buyer_id offset 0) b on true"
    " left join lateral (select name, slug from merchants where id = o.merchant_id offset 0) m on true"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SORT_COLUMNS = {"paid_at": "o.paid_at", "amount": "o.amount"}


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is ordered: by the order number alone, or by a column and then the number, both in one direction."""

    column: str = ""
    descending: bool = True

    @property
    def nullable(self) -> bool:
        """Whether orders without a value follow at the end."""
        return self.column == "o.paid_at"

    def clause(self, *, back: bool, valueless: bool) -> str:
        """The ORDER BY clause; `back` reads towards the start of the list."""
        word = "desc" if self.descending != back else "asc"
        if not self.column or valueless:
            return f"o.order_no {word}"
        return f"{self.column} {word}, o.order_no {word}"


def order_of(sort: Sort | None) -> Order:
    """The list order a query asks for; `metric` is the amount when single orders are listed."""
    if sort is None:
        return Order()
    by = "amount" if sort.by == "metric" else sort.by
    return Order(_SORT_COLUMNS.get(by, ""), sort.dir == "desc")


def cursor_value(order: Order, amount: int, paid_at: datetime | None) -> int | None:
    """What a cursor remembers of an order besides its number."""
    if order.column == "o.amount":
        return amount
    return (paid_at - _EPOCH) // _MICROSECOND if order.column and paid_at is not None else None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a list that one statement reads in index order: a time chunk, or the orders with(out) a value."""

    where: Sql
    order_by: str
    low: int | None = None
    high: int | None = None


def _months_back(moment: datetime, months: int) -> int:
    index = moment.year * 12 + moment.month - 1 - months
    return number.floor(moment.replace(year=index // 12, month=index % 12 + 1, day=1, hour=0, minute=0, second=0))


def _chunks(
    found: Filter, order: Order, cursor: Cursor | None, now: datetime
) -> Iterator[tuple[int | None, int | None]]:
    """Bounds that together cover the list, small and recent ones first when reading newest first.

    An open list would otherwise be planned over every partition there is; a page is nearly always in the last months.
    """
    down = order.descending != bool(cursor and cursor.back)
    if not down or found.low is not None or found.listed:
        yield None, None
        return
    at = min(
        value for value in (cursor.order_no if cursor else None, found.high, number.floor(now)) if value is not None
    )
    try:
        moment = number.placed_at(max(at, number.floor(datetime(2001, 1, 1, tzinfo=number.SHANGHAI))))
    except ValueError:
        moment = now
    recent, year = _months_back(moment, 1), _months_back(moment, 12)
    yield recent, None
    yield year, recent
    yield None, year


def segments(found: Filter, order: Order, cursor: Cursor | None, now: datetime) -> Iterator[Segment]:
    """The list from the cursor on, cut into stretches to be read one after the other until the page is full."""
    back = bool(cursor and cursor.back)
    if not order.column:
        after = _past(order, cursor, back=back)
        for low, high in _chunks(found, order, cursor, now):
            yield Segment(after, order.clause(back=back, valueless=False), low, high)
        return
    valued = Segment(Sql("true"), order.clause(back=back, valueless=False))
    if not order.nullable:
        yield Segment(_past(order, cursor, back=back), valued.order_by)
        return
    stretches = [("is not null", False), ("is null", True)]
    for kind, valueless in reversed(stretches) if back else stretches:
        here = cursor is not None and (cursor.value is None) == valueless
        passed = cursor is not None and not here and valueless == back
        if passed:
            continue
        keyset = _past(order, cursor, back=back, valueless=valueless) if here else Sql("true")
        where = joined((Sql(f"{order.column} {kind}"), keyset))
        yield Segment(where, order.clause(back=back, valueless=valueless))


def _past(order: Order, cursor: Cursor | None, *, back: bool, valueless: bool = False) -> Sql:
    if cursor is None:
        return Sql("true")
    sign = "<" if order.descending != back else ">"
    if not order.column or valueless:
        return Sql(f"o.order_no {sign} %s::bigint", (cursor.order_no,))
    if order.nullable:
        moment = _EPOCH + (cursor.value or 0) * _MICROSECOND
        return Sql(f"({order.column}, o.order_no) {sign} (%s::timestamptz, %s::bigint)", (moment, cursor.order_no))
    return Sql(f"({order.column}, o.order_no) {sign} (%s::bigint, %s::bigint)", (cursor.value, cursor.order_no))


def list_statement(found: Filter, segment: Segment, limit: int) -> Sql:
    """Up to `limit` rows of one stretch, with the names a list shows joined to those rows only."""
    inner = _page(found, segment, limit, _ORDER_COLUMNS)
    text = f"select {ROW_COLUMNS} from ({inner.text}) o{_NAMED} order by {segment.order_by}"
    return Sql(text, inner.params)


def numbers_statement(found: Filter, segment: Segment, limit: int) -> Sql:
    """Like `list_statement`, the order numbers only: what the search role reads."""
    return _page(found, segment, limit, "o.order_no")


def _page(found: Filter, segment: Segment, limit: int, columns: str) -> Sql:
    where = joined((found.within(segment.low, segment.high), segment.where))
    text = f"select {columns} from orders o where {where.text} order by {segment.order_by} limit {int(limit)}"
    return Sql(text, where.params)


def rows_statement(numbers: Sequence[int], scope: Scope, view: str | None = None) -> Sql:
    """The rows of known order numbers, as far as `scope` may see them, in no particular order."""
    where = joined((scope_predicate(scope, view), among("o.order_no", numbers, "bigint")))
    return Sql(f"select {ROW_COLUMNS} from orders o{_NAMED} where {where.text}", where.params)


def count_statement(found: Filter, cap: int = COUNT_CAP) -> Sql:
    """How many orders match, at most `cap`."""
    where = found.within()
    return Sql(f"select count(*) from (select 1 from orders o where {where.text} limit {int(cap)}) t", where.params)


def estimate_statement(found: Filter) -> Sql:
    """The planner's guess at how many orders match (`[{"Plan": {"Plan Rows": n}}]`)."""
    where = found.within()
    return Sql(f"explain (format json) select 1 from orders o where {where.text}", where.params)


def status_counts_statement(found: Filter, statuses: int, cap: int = COUNT_CAP) -> Sql:
    """(status code, count up to `cap`) of every status, in one statement; `found` must leave the status open.

    Each status walks its own index; a fragment or tag search reads its few matches once instead.
    """
    where = found.within()
    if found.search:
        inner = f"select o.status from orders o where {where.text} limit {statuses * int(cap)}"
        return Sql(f"select status, least(count(*), {int(cap)}) from ({inner}) t group by status", where.params)
    inner = f"select 1 from orders o where {where.text} and o.status = code.n limit {int(cap)}"
    text = f"select code.n, (select count(*) from ({inner}) t) from generate_series(0, {statuses - 1}) code(n)"
    return Sql(text, where.params)
