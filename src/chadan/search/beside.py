"""Conditions that stand beside a query: what an OrderQuery cannot say of one order, such as how often its buyer came back.

Both are compiled onto `orders o`, so that they join a filter; `matching` adds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chadan.orders.states import OrderStatus
from chadan.platform.scope import Session
from chadan.search.scope_sql import Sql

MOST_LATER = 100
"""So many of a buyer's later orders are looked at again when one order changes what the buyer has completed."""
_COMPLETED = OrderStatus.COMPLETED.code
_MOVING = f"{OrderStatus.PAID.code}, {OrderStatus.PROCESSING.code}"
# Walks orders_buyer over the window and stops at the number asked for. Behind "offset 0" the planner knows the buyer alone:
# it would otherwise walk all that the shop has completed, hoping to meet the buyer soon.
_BUYER = """
(select count(*) from (
    select 1 from (select c.merchant_id, c.home, c.status from orders c
                   where c.buyer_id = o.buyer_id and c.order_no <= o.order_no{since} offset 0) c
    where c.merchant_id = o.merchant_id and c.home = o.home and c.status = {completed} limit %s) c) >= %s"""
_SINCE = " and c.order_no >= order_number_floor(order_placed_at(o.order_no) - make_interval(days => %s))"
# What is promised: the delivery's own deadline, else the product's time from the payment on (as ops.stuck).
_OVERDUE = """
(o.status in ({moving}) and coalesce(
    (select d.due_at from order_deliveries d where d.order_no = o.order_no and d.home = o.home order by d.seq desc limit 1),
    o.paid_at + make_interval(mins => (select p.sla_minutes from product_versions v join products p on p.id = v.product_id
                                       where v.id = o.version_id))) < now())"""
_UNTIL = "order_number_floor(order_placed_at(o.order_no) + make_interval(days => %s))"
_END = "9223372036854775807"
_LATER = """
select distinct c.order_no
from orders o
cross join lateral (
    select c.order_no from (
        select c.order_no, c.merchant_id, c.home from orders c
        where c.buyer_id = o.buyer_id and c.order_no > o.order_no and c.order_no < {until}
        order by c.order_no offset 0) c
    where c.merchant_id = o.merchant_id and c.home = o.home limit {most}
) c
where o.order_no = any(%s::bigint[]) and o.home = any(%s::smallint[]) and o.merchant_id = any(%s::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Beside:
    """`buyer_orders`: when this order was placed, its buyer had placed at least so many orders in this shop, this one counted,
    that are completed now; `buyer_days`: only those of so many days before count. `overdue`: paid, not delivered, and past
    the time its product promises.
    """

    buyer_orders: int | None = None
    buyer_days: int | None = None
    overdue: bool = False

    @property
    def nothing(self) -> bool:
        """Whether it leaves every order in."""
        return self.buyer_orders is None and not self.overdue

    def conditions(self) -> Iterator[Sql]:
        """The conditions on `orders o`."""
        if self.overdue:
            yield Sql(_OVERDUE.format(moving=_MOVING))
        if self.buyer_orders is not None:
            since = () if self.buyer_days is None else (self.buyer_days,)
            text = _BUYER.format(completed=_COMPLETED, since=_SINCE if since else "")
            yield Sql(text, (*since, self.buyer_orders, self.buyer_orders))


def later_orders(session: Session, numbers: Sequence[int], days: int | None) -> set[int]:
    """Orders the same buyers placed in the same shop after these, within `days` (None: ever), MOST_LATER for each."""
    scope = session.scope
    text = _LATER.format(most=MOST_LATER, until=_END if days is None else _UNTIL)
    window = () if days is None else (days,)
    rows = session.rows(text, (*window, list(numbers), list(scope.homes), list(scope.merchants)))
    return {row[0] for row in rows}
