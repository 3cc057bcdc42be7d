"""Whole-query exports as PostgreSQL statements: one keyset chunk at a time, formatted by the database.

A chunk is a page of orders in order-number order. For CSV the database returns it as one text, ready to be appended to
the file; for a workbook as rows of texts. Rendering is the same as in chadan.exports.csv_file and chadan.exports.kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chadan.exports.columns import SPECS, Column
from chadan.exports.csv_file import FORMULA_STARTS
from chadan.exports.kinds import Kind
from chadan.exports.masking import mask_sql
from chadan.platform.scope import Scope
from chadan.search.filters import Filter
from chadan.search.scope_sql import Sql, among, joined, scope_predicate

_ZONE = "'Asia/Shanghai'"


class Flavour(StrEnum):
    """What a chunk is rendered for: a CSV for spreadsheets, cells of a workbook, or CSV for machines."""

    CSV = "csv"
    CELLS = "cells"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Labels:
    """The words behind codes, in the language of the export, by code."""

    status: tuple[str, ...]
    category: tuple[str, ...]
    payment_method: tuple[str, ...]
    escrow: tuple[str, ...]
    yes_no: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """How orders are rendered."""

    columns: tuple[Column, ...]
    masked: bool
    flavour: Flavour
    labels: Labels


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
_JOINS = {
    "v": " join product_versions v on v.id = o.version_id",
    "b": " join buyers b on b.id = o.buyer_id",
    "m": " join merchants m on m.id = o.merchant_id",
    "a": " left join merchants a on a.id = o.agent_id",
    "s": " left join suppliers s on s.id = o.supplier_id",
}


def _owned(table: str, column: str) -> str:
    return (
        f"(select string_agg(x.{column}, ' ' order by x.seq) from {table} x"
        f" where x.order_no = o.order_no and x.home = o.home and x.{column} <> '')"
    )


_NUMBER = "lpad(o.order_no::text, 19, '0')"
_VALUES: dict[Column, tuple[str, str]] = {
    Column.ORDER_NO: ("", _NUMBER),
    Column.PLACED_AT: ("", "order_placed_at(o.order_no)"),
    Column.PRODUCT: ("v", "v.title"),
    Column.BRAND: ("v", "v.brand"),
    Column.VARIANT: ("v", "v.variant"),
    Column.FACE_VALUE: ("", "o.face_value"),
    Column.QUANTITY: ("", "o.quantity"),
    Column.ACCOUNT: ("", "o.account"),
    Column.BUYER: ("b", "coalesce(nullif(b.name, ''), b.login)"),
    Column.AMOUNT: ("", "o.amount"),
    Column.PAID: ("", "o.paid"),
    Column.REFUNDED: ("", "o.refunded"),
    Column.CURRENCY: ("", "o.currency::text"),
    Column.MERCHANT: ("m", "m.name"),
    Column.AGENT: ("a", "a.name"),
    Column.PLATFORM: ("", "o.platform"),
    Column.PAID_AT: ("", "o.paid_at"),
    Column.DELIVERED_AT: ("", "o.delivered_at"),
    Column.COMPLETED_AT: ("", "o.completed_at"),
    Column.REFUNDED_AT: ("", "o.refunded_at"),
    Column.CANCELLED_AT: ("", "o.cancelled_at"),
    Column.SOURCE_ORDER_NO: ("", "o.source_order_no"),
    Column.PARENT_ORDER_NO: ("", "lpad(o.parent_order_no::text, 19, '0')"),
    Column.PAYMENT_NO: ("", _owned("order_payments", "txn_no")),
    Column.PAYMENT_OUT_NO: ("", _owned("order_payments", "out_no")),
    Column.SUPPLIER: ("s", "s.name"),
    Column.SUPPLIER_NO: ("", _owned("order_deliveries", "supplier_no")),
    Column.COST: ("", "o.cost"),
    Column.FEE: ("", "o.fee"),
    Column.PROFIT: ("", "case when o.paid_at is not null then o.paid - o.refunded - o.cost else 0 end"),
    Column.TAGS: (
        "",
        (
            "(select string_agg(t.name, ' ' order by t.name_key) from tags t"
            " where t.id = any(o.tags) and t.merchant_id = o.merchant_id)"
        ),
    ),
    Column.NOTE: ("", "o.note"),
}


def value_of(column: Column, labels: Labels) -> tuple[str, Sql]:
    """The alias of the table a column needs joined ("" for none) and its plain value."""
    if column in _VALUES:
        alias, text = _VALUES[column]
        return alias, Sql(text)
    if column is Column.CATEGORY:
        word = Sql("(%s::text[])[o.category + 1]", (list(labels.category),))
        return "v", Sql(f"coalesce(nullif(v.category_title, ''), {word.text})", word.params)
    if column is Column.AFTER_SALE:
        return "", Sql("case when o.has_after_sale then %s::text else %s::text end", labels.yes_no)
    words = {
        Column.STATUS: ("o.status", labels.status),
        Column.PAYMENT_METHOD: ("o.payment_method", labels.payment_method),
        Column.ESCROW: ("o.escrow", labels.escrow),
    }
    code, listed = words[column]
    return "", Sql(f"(%s::text[])[{code} + 1]", (list(listed),))


_FORMULA_CODES = ", ".join(str(ord(start)) for start in FORMULA_STARTS)
_MONEY = "({0} * 0.01)::text"
_SERIAL = f"(date_part('epoch', {{0}} at time zone {_ZONE}) / 86400 + 25569)::text"
_QUOTED = "'\"' || replace({0}, '\"', '\"\"') || '\"'"
_GUARDED = f"'\"' || case when ascii({{0}}) in ({_FORMULA_CODES}) then '''' else '' end || replace({{0}}, '\"', '\"\"') || '{{1}}\"'"

_RENDER: dict[Flavour, dict[Kind, Callable[[str], str]]] = {
    Flavour.CSV: {
        Kind.TEXT: lambda value: _GUARDED.format(f"nullif({value}, '')", ""),
        Kind.CODE: lambda value: _GUARDED.format(f"nullif({value}, '')", "\t"),
        Kind.INTEGER: lambda value: f"{value}::text",
        Kind.MONEY: _MONEY.format,
        Kind.DATETIME: lambda value: f"left(({value} at time zone {_ZONE})::text, 19)",
    },
    Flavour.RAW: {
        Kind.TEXT: _QUOTED.format,
        Kind.CODE: _QUOTED.format,
        Kind.INTEGER: lambda value: f"{value}::text",
        Kind.MONEY: _MONEY.format,
        Kind.DATETIME: lambda value: f"{value}::text",
    },
    Flavour.CELLS: {
        Kind.TEXT: lambda value: f"coalesce({value}, '')",
        Kind.CODE: lambda value: f"coalesce({value}, '')",
        Kind.INTEGER: lambda value: f"coalesce({value}::text, '')",
        Kind.MONEY: lambda value: f"coalesce({_MONEY.format(value)}, '')",
        Kind.DATETIME: lambda value: f"coalesce({_SERIAL.format(value)}, '')",
    },
}


def _source(page: Sql, shape: Shape) -> tuple[Sql, list[str]]:
    """FROM with everything the columns need joined to the page, and the rendered columns.

    Values that carry parameters are computed in a lateral row, because a rendering names its value more than once.
    """
    rendered: list[str] = []
    joins: dict[str, str] = {}
    words: list[Sql] = []
    for column in shape.columns:
        spec = SPECS[column]
        alias, value = value_of(column, shape.labels)
        if alias:
            joins[alias] = _JOINS[alias]
        text = value.text
        if value.params:
            words.append(Sql(f"{text} as {column.value}", value.params))
            text = f"words.{column.value}"
        if spec.masked and shape.masked:
            text = mask_sql(f"({text})")
        rendered.append(_RENDER[shape.flavour][spec.kind](f"({text})"))
    lateral = joined(words, ", ")
    # offset 0 keeps the planner from copying the expressions to every place that names them.
    row = f" cross join lateral (select {lateral.text} offset 0) words" if words else ""
    params = (*page.params, *(lateral.params if words else ()))
    return Sql(f"({page.text}) o{''.join(joins.values())}{row}", params), rendered


def chunk_statement(page: Sql, shape: Shape, *, descending: bool) -> Sql:
    """A page of orders (`page_statement` or `selected_statement`) rendered.

    CSV and RAW: one row (count, last order number, text of all lines). CELLS: rows (order number, cell, …).
    """
    source, columns = _source(page, shape)
    word = "desc" if descending else "asc"
    if shape.flavour is Flavour.CELLS:
        text = f"select o.order_no, {', '.join(columns)} from {source.text} order by o.order_no {word}"
        return Sql(text, source.params)
    line = ", ',', ".join(columns)
    text = (
        f"select count(*), {'min' if descending else 'max'}(l.order_no), string_agg(l.line, '' order by l.order_no {word})"
        f" from (select o.order_no, concat({line}, E'\\r\\n') as line from {source.text}) l"
    )
    return Sql(text, source.params)


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
