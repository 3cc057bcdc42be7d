"""The money an order's row remembers, for whoever compares it with other books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chadan.orders import number
from chadan.orders.states import OrderStatus
from chadan.platform.scope import Session

_FIGURES = """
select o.order_no, o.status, o.paid, o.refunded,
       coalesce((select sum(r.amount)::bigint from order_refunds r
                 where r.order_no = o.order_no and r.home = o.home and r.status <> 2), 0)
from orders o where o.order_no = any(%s::bigint[]) and o.home = any(%s::smallint[])
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Fen; `queued` is what refunds that are not done are to give back."""

    status: OrderStatus
    paid: int
    refunded: int
    queued: int


def figures(session: Session, order_nos: Sequence[int]) -> dict[int, Figures]:
    """By order number; orders the session does not see are left out."""
    homes = sorted({number.split(order_no).home for order_no in order_nos})
    rows = session.rows(_FIGURES, (list(order_nos), homes))
    return {no: Figures(OrderStatus.of(status), *money) for no, status, *money in rows}
