"""Money a supplier gives back for a purchase that has ended: the order costs so much less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chadan.delivery import costs, supplier_rows
from chadan.delivery.supplier_rows import Row
from chadan.delivery.suppliers.base import Supplied
from chadan.money import flows
from chadan.orders import events
from chadan.orders.transitions import lock
from chadan.platform.scope import Session

_CHARGED = """
select coalesce(sum(case kind when 'purchase' then amount else -amount end), 0)::bigint from ledger_postings
where order_no = %(order_no)s and home = %(home)s
  and (cause = 'purchase/' || %(cause)s or starts_with(cause, 'purchase_return/' || %(cause)s || ':'))
"""


def heed(session: Session, row: Row, told: Supplied, actor: Mapping[str, Any]) -> bool:
    """Books what a report says of a purchase that has ended: that it cost less than was charged for it.

    In the caller's transaction, the order locked. False when that is known, or the report is about another purchase.
    """
    order = lock(session, row.order_no)
    cause = f"supplier:{row.request_no}"
    values = {"order_no": order.order_no, "home": order.home, "cause": cause}
    charged = int(session.rows(_CHARGED, values)[0][0])
    ours = row.supplier_id is not None and told.supplier_no == row.supplier_no
    if not ours or told.cost is None or told.cost >= charged:
        return False
    back, supplier = charged - told.cost, row.supplier_id or 0
    cause = f"{cause}:{told.cost}"
    flows.purchase_returned(session, order, supplier_id=supplier, amount=back, cause=cause, actor=actor)
    supplier_rows.lower_cost(session, row, told.cost)
    costs.correct(session, order)
    events.append(session, row.order_no, "supply.returned", actor, {"request_no": row.request_no, "amount": back})
    return True
