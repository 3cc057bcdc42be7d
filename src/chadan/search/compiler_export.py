"""Whole-query exports as PostgreSQL statements: one keyset chunk at a time, in order-number order.

The database is asked for plain values (codes, fen, texts); they are rendered column by column in chadan.exports, which
costs a third of rendering them in SQL expressions. What an order number or a product version tells by itself is not
asked for with every order: docs/decisions/012-exports-read-what-they-cannot-derive.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chadan.exports.columns import SPECS, Column
from chadan.exports.kinds import Kind
from chadan.platform.scope import Scope
from chadan.search.filters import Filter
from chadan.search.scope_sql import Sql, among, joined, scope_predicate


class Moments(StrEnum):
    """How moments arrive: as text in the session's time zone, or as days since 1899-12-30, as a workbook counts."""

    TEXT = "text"
    SERIAL = "serial"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Which orders: the next `limit` after `after`, none past `upto` (a bound from the request, not included)."""

    after: int | None
    upto: int
    limit: int
    descending: bool = True

    @property
    def direction(self) -> str:
        """The word behind ORDER BY."""
        return "desc" if self.descending else "asc"

    def bounds(self) -> tuple[int | None, int]:
        """The order numbers it may read: from (included), to (not included)."""
        if self.descending:
            return None, self.upto if self.after is None else min(self.after, self.upto)
        return None if self.after is None else self.after + 1, self.upto


_ORDER_COLUMNS = (
    "o.order_no, o.home, o.merchant_id, o.buyer_id, o.agent_id, o.parent_order_no, o.version_id, o.category, o.face_value,"
    " o.quantity, o.status, o.has_after_sale, o.amount, o.paid, o.refunded, o.cost, o.fee, o.currency, o.payment_method,"
    " o.platform, o.supplier_id, o.escrow, o.account, o.note, o.source_order_no, o.tags, o.paid_at, o.delivered_at,"
    " o.completed_at, o.refunded_at, o.cancelled_at"
)
CATEGORY_CODES = 0xE000
"""A category without a title of its own arrives as one private-use character: this plus the code."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Words that stand elsewhere: `key` is their id in an order, `values` are by column what `table x` says."""

    key: str
    table: str
    values: Mapping[Column, str]


LOOKUPS = {
    "version_id": Lookup(
        "o.version_id",
        "product_versions",
        {
            # The merchant's own name for the category; the code where it has none.
            Column.CATEGORY: f"case when x.category_title <> '' then x.category_title else chr({CATEGORY_CODES} + x.category) end",
            Column.PRODUCT: "x.title",
            Column.BRAND: "x.brand",
            Column.VARIANT: "x.variant",
        },
    ),
    "buyer_id": Lookup("o.buyer_id", "buyers", {Column.BUYER: "coalesce(nullif(x.name, ''), x.login)"}),
    "merchant_id": Lookup("o.merchant_id", "merchants", {Column.MERCHANT: "x.name"}),
    "agent_id": Lookup("o.agent_id", "merchants", {Column.AGENT: "x.name"}),
    "supplier_id": Lookup("o.supplier_id", "suppliers", {Column.SUPPLIER: "x.name"}),
}
"""By the name of the read column. An order is read with the ids; what is behind one is read once for many orders."""
KEY_OF = {column: name for name, lookup in LOOKUPS.items() for column in lookup.values}
"""The read column behind which an export's column stands."""

_MOMENTS = {
    Moments.TEXT: "{0}::text",
    Moments.SERIAL: "((date_part('epoch', {0}) + 28800) / 86400 + 25569)::text",
}


def _owned(table: str, column: str) -> str:
    return (
        f"(select string_agg(x.{column}, ' ' order by x.seq) from {table} x"
        f" where x.order_no = o.order_no and x.home = o.home and x.{column} <> '')"
    )


_VALUES: dict[Column, str] = {
    Column.PLACED_AT: "order_placed_at(o.order_no)",
    Column.STATUS: "o.status",
    Column.PAYMENT_METHOD: "o.payment_method",
    Column.ESCROW: "o.escrow",
    Column.AFTER_SALE: "o.has_after_sale::int",
    Column.FACE_VALUE: "o.face_value",
    Column.QUANTITY: "o.quantity",
    Column.ACCOUNT: "o.account",
    Column.AMOUNT: "o.amount",
    Column.PAID: "o.paid",
    Column.REFUNDED: "o.refunded",
    Column.CURRENCY: "o.currency::text",
    Column.PLATFORM: "o.platform",
    Column.PAID_AT: "o.paid_at",
    Column.DELIVERED_AT: "o.delivered_at",
    Column.COMPLETED_AT: "o.completed_at",
    Column.REFUNDED_AT: "o.refunded_at",
    Column.CANCELLED_AT: "o.cancelled_at",
    Column.SOURCE_ORDER_NO: "o.source_order_no",
    Column.PARENT_ORDER_NO: "o.parent_order_no",
    Column.PAYMENT_NO: _owned("order_payments", "txn_no"),
    Column.PAYMENT_OUT_NO: _owned("order_payments", "out_no"),
    Column.SUPPLIER_NO: _owned("order_deliveries", "supplier_no"),
    Column.COST: "o.cost",
    Column.FEE: "o.fee",
    Column.PROFIT: "case when o.paid_at is not null then o.paid - o.refunded - o.cost else 0 end",
    Column.TAGS: (
        "(select string_agg(t.name, ' ' order by t.name_key) from tags t"
        " where t.id = any(o.tags) and t.merchant_id = o.merchant_id)"
    ),
    Column.NOTE: "o.note",
}


SEPARATOR, NULL = "\x1e", "\x1d"
"""Between the values of a packed column, and in place of NULL."""


def read_columns(columns: Sequence[Column], moments: Moments) -> tuple[str, ...]:
    """The names of the columns that have to be read with each order for an export of `columns`.

    The order number always is. It tells when the order was placed; a workbook's fraction of a day is left to the database.
    """
    names: dict[str, None] = {}
    for column in columns:
        if column in KEY_OF:
            names[KEY_OF[column]] = None
        elif column is not Column.ORDER_NO and (column is not Column.PLACED_AT or moments is not Moments.TEXT):
            names[column.value] = None
    return tuple(names)


def rows_statement(page: Sql, names: Sequence[str], moments: Moments, *, descending: bool) -> Sql:
    """Rows (order number, value of each read column), all texts, of a `page_statement` or `selected_statement`."""
    values = ["o.order_no::text as no"]
    for name in names:
        form = "({0})::text"
        if name in LOOKUPS:
            value = LOOKUPS[name].key
        else:
            value = _VALUES[Column(name)]
            form = _MOMENTS[moments] if SPECS[Column(name)].kind is Kind.DATETIME else form
        values.append(f"{form.format(value)} as {name}_")
    text = f"select {', '.join(values)} from ({page.text}) o order by o.order_no {'desc' if descending else 'asc'}"
    return Sql(text, page.params)


def packed_statement(rows: Sql, names: Sequence[str]) -> Sql:
    """One row for all of `rows_statement`'s: how many, the order numbers, and each column, values joined by SEPARATOR.

    `names` are those of the columns behind `no`.

    Ten thousand rows arrive in one message; unpacking them is one split a column. Who unpacks checks that every column
    has that many values: a text may hold a SEPARATOR of its own.
    """
    values = ["no", *(f"coalesce({name}_, E'\\x1d')" for name in names)]
    packed = ", ".join(f"string_agg({value}, E'\\x1e')" for value in values)
    return Sql(f"select count(*), {packed} from ({rows.text}) r", rows.params)


def lookup_statement(lookup: Lookup, columns: Sequence[Column], ids: Iterable[str]) -> Sql:
    """Rows (id, value of each of the lookup's `columns`), all texts, behind these ids; to be packed as orders are."""
    values = ", ".join(f"{lookup.values[column]} as {column.value}_" for column in columns)
    text = f"select x.id::text as no, {values} from {lookup.table} x where x.id = any(%s::bigint[])"
    return Sql(text, (f"{{{','.join(ids)}}}",))


def page_statement(found: Filter, chunk: Chunk, columns: str = _ORDER_COLUMNS) -> Sql:
    """The next orders a filter means."""
    where = found.within(*chunk.bounds())
    text = (
        f"select {columns} from orders o where {where.text} order by o.order_no {chunk.direction} limit {chunk.limit:d}"
    )
    return Sql(text, where.params)


def page_numbers_statement(found: Filter, chunk: Chunk) -> Sql:
    """Like `page_statement`, the order numbers only: what the search role may read."""
    return page_statement(found, chunk, "o.order_no")


def selected_statement(numbers: Sequence[int], scope: Scope, view: str | None, chunk: Chunk) -> Sql:
    """The next of the orders with these numbers, as far as the scope may see them."""
    low, high = chunk.bounds()
    parts = [scope_predicate(scope, view), among("o.order_no", numbers, "bigint")]
    parts.append(Sql("o.order_no < %s::bigint", (high,)))
    if low is not None:
        parts.append(Sql("o.order_no >= %s::bigint", (low,)))
    where = joined(parts)
    text = (
        f"select {_ORDER_COLUMNS} from orders o where {where.text} order by o.order_no {chunk.direction}"
        f" limit {chunk.limit:d}"
    )
    return Sql(text, where.params)


def total_statement(found: Filter, upto: int, cap: int) -> Sql:
    """How many orders an export holds, counting no further than `cap`."""
    where = found.within(None, upto)
    return Sql(f"select count(*) from (select 1 from orders o where {where.text} limit {cap:d}) t", where.params)


def selected_total_statement(numbers: Sequence[int], scope: Scope, view: str | None) -> Sql:
    """How many of these orders the scope may see."""
    where = joined((scope_predicate(scope, view), among("o.order_no", numbers, "bigint")))
    return Sql(f"select count(*) from orders o where {where.text}", where.params)
