"""The `order_deliveries` rows of one order: at most one is open (waiting or sending), and it says why."""

from __future__ import annotations

from datetime import datetime

from chadan.orders import number
from chadan.orders.states import DeliveryKind, DeliveryStatus
from chadan.platform.scope import Session

_OPEN = "status in (0, 1)"
_CLOSE = f"""
with known as (
    update order_deliveries set status = %(status)s, reason = %(reason)s,
           cost = case when %(cost)s > 0 then %(cost)s else cost end,
           delivered_at = case when %(status)s = 2 then now() end
    where order_no = %(order_no)s and home = %(home)s and {_OPEN}
    returning seq
)
insert into order_deliveries (order_no, home, seq, kind, status, reason, cost, created_at, delivered_at)
select %(order_no)s, %(home)s,
       (select coalesce(max(seq), 0) + 1 from order_deliveries where order_no = %(order_no)s and home = %(home)s),
       %(kind)s, %(status)s, %(reason)s, %(cost)s, now(), case when %(status)s = 2 then now() end
where not exists (select 1 from known)
"""
_WAIT = f"""
with known as (
    update order_deliveries set reason = %(reason)s, attempts = attempts + 1, asked_at = now()
    where order_no = %(order_no)s and home = %(home)s and {_OPEN}
    returning seq
)
insert into order_deliveries (order_no, home, seq, kind, status, reason, created_at, due_at, attempts, asked_at)
select %(order_no)s, %(home)s,
       (select coalesce(max(seq), 0) + 1 from order_deliveries where order_no = %(order_no)s and home = %(home)s),
       %(kind)s, 0, %(reason)s, now(), %(due_at)s, 1, now()
where not exists (select 1 from known)
"""
_KIND = """
select v.delivery_kind from orders o join product_versions v on v.id = o.version_id where o.order_no = %s and o.home = %s
"""
_MISSING = """
select o.quantity - (select count(*) from order_cards c where c.order_no = o.order_no and c.home = o.home)
from orders o where o.order_no = %s and o.home = %s
"""
_NEWEST = "select status, reason from order_deliveries where order_no = %s and home = %s order by seq desc limit 1"


def wait(session: Session, order_no: int, *, kind: DeliveryKind, reason: str, due_at: datetime) -> None:
    """Says that the order waits, why, and until when it may; asked again, the same row counts the attempt."""
    session.run(
        _WAIT,
        {
            "order_no": order_no,
            "home": number.split(order_no).home,
            "kind": kind.code,
            "reason": reason,
            "due_at": due_at,
        },
    )


def close(
    session: Session, order_no: int, status: DeliveryStatus, *, kind: DeliveryKind, reason: str = "", cost: int = 0
) -> None:
    """Ends the open row as delivered or failed, or writes one that is ended already. `cost` is fen."""
    session.run(
        _CLOSE,
        {
            "order_no": order_no,
            "home": number.split(order_no).home,
            "status": status.code,
            "kind": kind.code,
            "reason": reason,
            "cost": cost,
        },
    )


def newest(session: Session, order_no: int) -> tuple[DeliveryStatus, str] | None:
    """The state and the reason of the order's newest delivery; None before the first."""
    found = session.rows(_NEWEST, (order_no, number.split(order_no).home))
    return (DeliveryStatus.of(found[0][0]), str(found[0][1])) if found else None


def kind_of(session: Session, order_no: int) -> DeliveryKind:
    """How the order's product reaches the buyer."""
    found = session.rows(_KIND, (order_no, number.split(order_no).home))
    return DeliveryKind.of(found[0][0]) if found else DeliveryKind.CARD


def missing_cards(session: Session, order_no: int) -> int:
    """How many cards the order still lacks of its quantity."""
    home = number.split(order_no).home
    return int(session.rows(_MISSING, (order_no, home))[0][0])
