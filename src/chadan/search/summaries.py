"""Answers that are numbers: count, sum, average, ranking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from chadan.orders import number
from chadan.orders.states import Category, Coded, OrderStatus, PaymentMethod
from chadan.platform.scope import Scope, Session, scoped
from chadan.search import compiler_aggregate as aggregate
from chadan.search.order_query import OrderQuery
from chadan.search.service import prepare

_CODED: dict[str, type[Coded]] = {"status": OrderStatus, "category": Category, "payment_method": PaymentMethod}
_LABELS = {
    "buyer": "select id, coalesce(nullif(name, ''), login) from buyers where id = any(%s::bigint[])",
    "merchant": "select id, name from merchants where id = any(%s::bigint[])",
    "agent": "select id, name from merchants where id = any(%s::bigint[])",
    "supplier": "select id, name from suppliers where id = any(%s::bigint[])",
    "product": "select id, title from products where id = any(%s::bigint[])",
}


class Group(NamedTuple):
    """One line of a ranking or series."""

    key: str
    """A word, an id, a date `2026-01-31` (of a week: its Monday), a month `2026-01`, an hour `0`-`23`, a weekday
    `1` (Monday)-`7`; empty for orders without one."""
    label: str
    """The name behind an id; otherwise the key."""
    value: int | Decimal | None
    orders: int


class Summary(NamedTuple):
    """The answer to a count, sum, avg or top query."""

    intent: str
    metric: str
    unit: str
    """`fen`, `orders` or `pieces`."""
    value: int | Decimal | None
    """Fen are whole, averages of counts and pieces have two decimals; None for the average of nothing."""
    orders: int
    paid_orders: int
    group_by: str
    groups: list[Group]
    truncated: bool
    """Whether there are more groups than shown."""


class _Sums(NamedTuple):
    orders: int
    paid_orders: int
    money: int
    paid_money: int
    cost: int
    pieces: int


_NONE = _Sums(0, 0, 0, 0, 0, 0)


def summarise(scope: Scope, query: OrderQuery, view: str | None = None) -> Summary:
    """Counts, sums, averages or ranks the matching orders (a list query is counted)."""
    grouped = aggregate.group_by(query)
    with scoped(scope) as session:
        found = prepare(session, scope, query, view)
        sums, rows = _NONE, []
        if not found.nothing:
            statement = aggregate.totals_statement(found)
            sums = _Sums._make(session.rows(statement.text, statement.params, search=found.search)[0])
            if grouped and sums.orders:
                statement = aggregate.groups_statement(found, query)
                rows = session.rows(statement.text, statement.params, search=found.search)
        limit = aggregate.groups_limit(query)
        labels = _labels(session, grouped, [row[0] for row in rows[:limit]])
    groups = [_group(query, row, labels) for row in rows[:limit]]
    metric = "count" if query.intent in ("list", "count") else query.metric
    value = _overall(query, sums, _units(query, rows))
    unit = {"count": "orders", "quantity": "pieces"}.get(metric, "fen")
    return Summary(query.intent, metric, unit, value, sums.orders, sums.paid_orders, grouped, groups, len(rows) > limit)


def _value(metric: str, sums: _Sums) -> int:
    return {
        "amount": sums.money,
        "count": sums.orders,
        "quantity": sums.pieces,
        "profit": sums.paid_money - sums.cost,
    }[metric]


def _divided(total: int, by: int, *, fen: bool) -> int | Decimal | None:
    if not by:
        return None
    quotient = Decimal(total) / by
    return (
        int(quotient.quantize(Decimal(1), ROUND_HALF_UP)) if fen else quotient.quantize(Decimal("0.01"), ROUND_HALF_UP)
    )


def _average(metric: str, sums: _Sums) -> int | Decimal | None:
    total = sums.paid_money if metric == "amount" else _value(metric, sums)
    return _divided(total, sums.paid_orders, fen=metric != "quantity")


def _group(query: OrderQuery, row: Sequence[Any], labels: dict[Any, str]) -> Group:
    sums = _Sums._make(row[1:7])
    if query.intent == "avg" and query.metric != "count":
        value = _average(query.metric, sums)
    else:
        value = _value("count" if query.intent in ("list", "count") else query.metric, sums)
    coded = _CODED.get(query.group_by or "")
    key = "" if row[0] is None else str(coded.of(row[0])) if coded else str(row[0])
    return Group(key, labels.get(row[0], key), value, sums.orders)


def _overall(query: OrderQuery, sums: _Sums, units: int) -> int | Decimal | None:
    """The value of all orders together; an average count is orders per group (平均每天多少单)."""
    if query.intent in ("list", "count"):
        return sums.orders
    if query.intent != "avg":
        return _value(query.metric, sums)
    if query.metric == "count":
        return _divided(sums.orders, units, fen=False)
    return _average(query.metric, sums)


def _units(query: OrderQuery, rows: Sequence[Sequence[Any]]) -> int:
    """How many groups an average count is divided by: every day of a closed window, else the groups found."""
    if not rows:
        return 1
    time = query.time
    if query.group_by != "day" or time is None or time.field != "placed" or time.start is None or time.end is None:
        return int(rows[0][7])
    first = time.start.astimezone(number.SHANGHAI).date()
    last = (time.end.astimezone(number.SHANGHAI) - timedelta(seconds=1)).date()
    return (last - first).days + 1


def _labels(session: Session, grouped: str, keys: Sequence[Any]) -> dict[Any, str]:
    statement = _LABELS.get(grouped)
    known = [key for key in keys if key is not None]
    return dict(session.rows(statement, (known,))) if statement and known else {}
