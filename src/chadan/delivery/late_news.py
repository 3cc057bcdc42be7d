"""What a supplier says of a purchase that has ended: it charged after all, or gives money back. The order costs what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chadan.delivery import costs, supplier_rows
from chadan.delivery.supplier_rows import Row
from chadan.delivery.suppliers.base import Supplied, SupplyState
from chadan.money import flows
from chadan.orders import events
from chadan.orders.transitions import Locked, lock
from chadan.platform.scope import Session

_CHARGED = """
select sum(case kind when 'purchase' then amount else -amount end)::bigint from ledger_postings
where order_no = %(order_no)s and home = %(home)s
  and (cause = 'purchase/' || %(cause)s or starts_with(cause, 'purchase_return/' || %(cause)s || ':'))
"""


def heed(session: Session, row: Row, told: Supplied, actor: Mapping[str, Any]) -> bool:
    """Books what a report says of an ended purchase that the books do not know: goods that came too late, or money given back.

    In the caller's transaction, the order locked. False when it is known, or the report is about another purchase.
    """
    order = lock(session, row.order_no)
    cause = f"supplier:{row.request_no}"
    charged = session.rows(_CHARGED, {"order_no": order.order_no, "home": order.home, "cause": cause})[0][0]
    ours = row.supplier_id is not None and row.supplier_no in ("", told.supplier_no)
    if not ours or told.cost is None:
        return False
    if charged is None and told.state is SupplyState.DELIVERED and told.cost > 0:
        _charged(session, order, row, told, actor)
    elif charged is not None and told.cost < charged:
        _given_back(session, order, row, int(charged), told.cost, actor)
    else:
        return False
    costs.correct(session, order)
    return True


def _charged(session: Session, order: Locked, row: Row, told: Supplied, actor: Mapping[str, Any]) -> None:
    """Somebody ended the purchase here before the supplier delivered it there."""
    supplier, amount, cause = row.supplier_id or 0, told.cost or 0, f"supplier:{row.request_no}"
    flows.purchase_cost(session, order, supplier_id=supplier, amount=amount, cause=cause, actor=actor)
    supplier_rows.keep(session, row, row.status, supplier_no=told.supplier_no, cost=amount, reason=row.reason)
    events.append(session, row.order_no, "supply.too_late", actor, {"request_no": row.request_no})


def _given_back(  # noqa: PLR0917 - whose purchase, and from how much to how much
    session: Session, order: Locked, row: Row, charged: int, cost: int, actor: Mapping[str, Any]
) -> None:
    back, supplier = charged - cost, row.supplier_id or 0
    cause = f"supplier:{row.request_no}:{cost}"
    flows.purchase_returned(session, order, supplier_id=supplier, amount=back, cause=cause, actor=actor)
    supplier_rows.lower_cost(session, row, cost)
    events.append(session, row.order_no, "supply.returned", actor, {"request_no": row.request_no, "amount": back})
