"""The money an order's row remembers, for whoever compares it with other books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chadan.orders import number
from chadan.orders.states import OrderStatus
from chadan.platform.scope import Session

_FIGURES = """
select order_no, status, paid, refunded from orders where order_no = any(%s::bigint[]) and home = any(%s::smallint[])
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Fen."""

    status: OrderStatus
    paid: int
    refunded: int


def figures(session: Session, order_nos: Sequence[int]) -> dict[int, Figures]:
    """By order number; orders the session does not see are left out."""
    homes = sorted({number.split(order_no).home for order_no in order_nos})
    rows = session.rows(_FIGURES, (list(order_nos), homes))
    return {no: Figures(OrderStatus.of(status), paid, refunded) for no, status, paid, refunded in rows}
