"""What an order's goods really cost, beside what its product says a piece costs.

Suppliers' charges stand in the ledger; what an agent's purchases kept (paid, less refunded) in the purchases' own rows. An order
carries the product's figure until something was bought for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from chadan.money.accounts import AccountKind
from chadan.orders.transitions import Locked
from chadan.platform.scope import Session

_SPENT = """
select coalesce((select sum(e.amount) from ledger_entries e
                 join ledger_accounts a on a.id = e.account_id and a.home = e.home and a.kind = %(kind)s
                 where e.order_no = %(order_no)s and e.home = %(home)s), 0)::bigint
     + coalesce((select sum(p.paid - p.refunded) from order_deliveries d
                 cross join lateral (select case when d.request_no like 'resale:%%' then d.supplier_no::bigint end as no) bought
                 join orders p on p.order_no = bought.no and p.home = bought.no / 100000 %% 1000
                 where d.order_no = %(order_no)s and d.home = %(home)s), 0)::bigint
"""
_CORRECT = "update orders set cost = %(cost)s where order_no = %(order_no)s and home = %(home)s and cost <> %(cost)s"
_GOT = """
select o.delivered_at is not null
       or exists (select from order_cards c where c.order_no = %(order_no)s and c.home = %(home)s)
from orders o where o.order_no = %(order_no)s and o.home = %(home)s
"""


def spent(session: Session, order: Locked) -> int:
    """Fen that suppliers charged and shops above kept for the order. The session sees the order and its purchases."""
    values = {"order_no": order.order_no, "home": order.home, "kind": int(AccountKind.SUPPLIER_COST)}
    return int(session.rows(_SPENT, values)[0][0])


def correct(session: Session, order: Locked) -> bool:
    """Lets a locked order cost what was spent; the caller's event says why. False when it did already."""
    values = {"order_no": order.order_no, "home": order.home, "cost": spent(session, order)}
    return session.run(_CORRECT, values) == 1


def of_nothing(session: Session, order: Locked) -> Mapping[str, int]:
    """The columns of an order that ends: without goods it costs what was spent all the same, and no more; {} with goods."""
    got = session.rows(_GOT, {"order_no": order.order_no, "home": order.home})[0][0]
    return {} if got else {"cost": spent(session, order)}
