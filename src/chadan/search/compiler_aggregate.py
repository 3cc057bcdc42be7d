"""Sums, averages and rankings as PostgreSQL statements.

Orders are first added up by a raw key (a version, a day, a status), then the few keys are turned into the groups asked
for. Money is Σ(paid − refunded); an average and the profit run over paid orders (those with a payment time), and so
does the quantity: pieces nobody paid for are not sold. Counts count every matching order.
"""

from __future__ import annotations

from dataclasses import dataclass

from chadan.search.filters import Filter
from chadan.search.order_query import OrderQuery
from chadan.search.scope_sql import Sql

MAX_GROUPS = 1000
"""More groups than this are cut off (and the result says so)."""
TIME_GROUPS = ("day", "week", "month", "hour", "weekday")
_DAY = "to_date((20000000 + g.key)::text, 'YYYYMMDD')"


@dataclass(frozen=True, slots=True)
class Grouping:
    """`raw` is the key orders are added up by; `key` what it becomes (on `g.key` and the joined table)."""

    raw: str
    key: str = "g.key"
    join: str = ""


_VERSION = " join product_versions v on v.id = g.key"
GROUPINGS: dict[str, Grouping] = {
    "product": Grouping("o.version_id", "v.product_id", _VERSION),
    "category": Grouping("o.category"),
    "variant": Grouping("o.version_id", "v.variant", _VERSION),
    "day": Grouping("o.order_no / 10000000000000", f"{_DAY}::text"),
    "week": Grouping("o.order_no / 10000000000000", f"date_trunc('week', {_DAY})::date::text"),
    "month": Grouping("o.order_no / 1000000000000000", "to_char(to_date((200000 + g.key)::text, 'YYYYMM'), 'YYYY-MM')"),
    "hour": Grouping("o.order_no / 100000000 %% 100000 / 3600"),
    "weekday": Grouping("o.order_no / 10000000000000", f"extract(isodow from {_DAY})::integer"),
    "buyer": Grouping("o.buyer_id"),
    "merchant": Grouping("o.merchant_id"),
    "agent": Grouping("o.agent_id"),
    "supplier": Grouping("o.supplier_id"),
    "platform": Grouping("o.platform"),
    "payment_method": Grouping("o.payment_method"),
    "status": Grouping("o.status"),
}

MONEY = "(o.paid - o.refunded)"
"""What an order counts in every sum, in fen."""
_MEASURES = (
    f"count(*) as orders, count(o.paid_at) as paid_orders, sum{MONEY} as money,"
    f" sum{MONEY} filter (where o.paid_at is not null) as paid_money,"
    " sum(o.cost) filter (where o.paid_at is not null) as cost,"
    " sum(o.quantity) filter (where o.paid_at is not null) as pieces"
)
_SUMS = (
    "sum(g.orders)::bigint as orders, sum(g.paid_orders)::bigint as paid_orders,"
    " coalesce(sum(g.money), 0)::bigint as money, coalesce(sum(g.paid_money), 0)::bigint as paid_money,"
    " coalesce(sum(g.cost), 0)::bigint as cost, coalesce(sum(g.pieces), 0)::bigint as pieces"
)
_TOTALS = {"amount": "money", "count": "orders", "quantity": "pieces", "profit": "paid_money - cost"}
_AVERAGES = {"amount": "paid_money", "quantity": "pieces", "profit": "paid_money - cost"}


def totals_statement(found: Filter) -> Sql:
    """One row: orders, paid_orders, money, paid_money, cost, pieces."""
    where = found.within()
    return Sql(f"select {_SUMS} from (select {_MEASURES} from orders o where {where.text}) g", where.params)


def group_by(query: OrderQuery) -> str:
    """What a query is grouped by: a ranking without a group is one of products."""
    return query.group_by or ("product" if query.intent == "top" else "")


def groups_statement(found: Filter, query: OrderQuery) -> Sql:
    """Rows of (key, orders, paid_orders, money, paid_money, cost, pieces, all groups) in the order to show them.

    A ranking goes by its measure, ties by key; a series over time by time; orders without a key (no agent, no
    supplier) are left out of rankings and form the group None elsewhere.
    """
    grouping = GROUPINGS[group_by(query)]
    where = found.within()
    inner = f"select {grouping.raw} as key, {_MEASURES} from orders o where {where.text} group by 1"
    outer = f"select {grouping.key} as key, {_SUMS} from ({inner}) g{grouping.join} group by 1"
    keyed = " where key is not null" if query.intent == "top" else ""
    text = f"select t.*, count(*) over () from ({outer}) t{keyed} order by {_ordering(query)} limit {groups_limit(query) + 1}"
    return Sql(text, where.params)


def groups_limit(query: OrderQuery) -> int:
    """How many groups are shown."""
    return min(query.limit or MAX_GROUPS, MAX_GROUPS)


def _ordering(query: OrderQuery) -> str:
    by_measure = query.sort is not None and query.sort.by in ("metric", "amount")
    if group_by(query) in TIME_GROUPS and query.intent != "top" and not by_measure:
        return "key"
    if query.intent == "avg" and query.metric in _AVERAGES:
        value = f"({_AVERAGES[query.metric]})::numeric / nullif(paid_orders, 0)"
    else:
        value = _TOTALS["count" if query.intent == "count" else query.metric]
    direction = query.sort.dir if query.sort is not None else "desc"
    return f"{value} {direction} nulls last, key{_COLLATION.get(group_by(query), '')}"


_COLLATION = {"variant": ' collate "C"', "platform": ' collate "C"'}
