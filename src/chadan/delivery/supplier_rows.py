"""The delivery rows of purchases from suppliers: one a request number, written before the supplier hears it.

A row is `sending` while the purchase is under way, `waiting` while a person or a supplier's recovery is waited for. Every statement
names (order_no, home) and runs in the scope of the order's merchant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chadan.orders import number, outside
from chadan.orders.states import DeliveryKind, DeliveryStatus, RefKind
from chadan.orders.transitions import Locked
from chadan.platform.scope import OPERATOR, Session, scoped

_COLUMNS = (
    "seq, kind, status, supplier_id, supplier_no, request_no, product_source_id, attempts, asked_at, reason, created_at"
)
_ALL = f"select {_COLUMNS} from order_deliveries where order_no = %s and home = %s and request_no <> '' order by seq"
_INSERT = """
insert into order_deliveries (order_no, home, seq, kind, status, supplier_id, request_no, product_source_id, created_at,
                              attempts, asked_at, due_at)
select %(order_no)s, %(home)s,
       (select coalesce(max(seq), 0) + 1 from order_deliveries where order_no = %(order_no)s and home = %(home)s),
       %(kind)s, 1, %(supplier_id)s, %(request_no)s, %(source_id)s, now(), 1, now(), %(due_at)s
"""
_NEXT = "select coalesce(max(seq), 0) + 1 from order_deliveries where order_no = %s and home = %s"
_DROP_PLAIN = """
delete from order_deliveries where order_no = %s and home = %s and status = 0 and request_no = ''
"""
_TAKE = """
update order_deliveries set attempts = attempts + 1, asked_at = now()
where order_no = %s and home = %s and seq = %s and status = 1 and attempts = %s and asked_at <= now() - %s::interval
"""
_KEEP = """
update order_deliveries set supplier_no = case when %(supplier_no)s <> '' then %(supplier_no)s else supplier_no end,
       cost = greatest(cost, %(cost)s), status = %(status)s, reason = %(reason)s
where order_no = %(order_no)s and home = %(home)s and seq = %(seq)s
"""
_FACTS = """
select o.quantity, o.account, coalesce(c.fields, '{}'::jsonb)::text, v.product_id, v.delivery_kind, o.paid_at,
       exists (select 1 from order_refunds r where r.order_no = o.order_no and r.home = o.home and r.status in (0, 1))
from orders o join product_versions v on v.id = o.version_id
left join order_checkouts c on c.order_no = o.order_no and c.home = o.home
where o.order_no = %s and o.home = %s
"""
_SUPPLIER = "update orders set supplier_id = %s where order_no = %s and home = %s"
_WORDS = """
update order_deliveries set reason = %s where order_no = %s and home = %s and seq = %s
"""
_LOWER = "update order_deliveries set cost = %s where order_no = %s and home = %s and seq = %s"
_LOST = """
select o.order_no, d.seq from orders o
join order_deliveries d on d.order_no = o.order_no and d.home = o.home
where o.status in (1, 2) and d.status = 1 and d.request_no <> '' and d.supplier_id is not null
  and d.asked_at < now() - %s::interval
order by o.order_no limit 500
"""
_PARKED = """
select o.order_no, d.seq, d.supplier_id, d.request_no, d.supplier_no, d.reason, d.created_at, v.title
from orders o
join order_deliveries d on d.order_no = o.order_no and d.home = o.home
join product_versions v on v.id = o.version_id
where o.merchant_id = any(%s::bigint[]) and o.home = any(%s::smallint[]) and o.status = 2
  and d.status = 0 and d.request_no <> '' and d.supplier_id is not null
order by o.order_no limit 100
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One purchase of an order at a supplier."""

    order_no: int
    home: int
    seq: int
    kind: DeliveryKind
    status: DeliveryStatus
    supplier_id: int | None
    supplier_no: str
    request_no: str
    source_id: int | None
    attempts: int
    asked_at: datetime
    reason: str
    created_at: datetime

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.status in (DeliveryStatus.WAITING, DeliveryStatus.SENDING)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is bought for an order."""

    quantity: int
    account: str
    fields: str
    product_id: int
    kind: DeliveryKind
    paid_at: datetime | None
    refunding: bool


@dataclass(frozen=True, slots=True)
class Parked:
    """A purchase that waits for a person's word."""

    order_no: int
    seq: int
    supplier_id: int
    request_no: str
    supplier_no: str
    reason: str
    created_at: datetime
    title: str


def of(session: Session, order_no: int) -> list[Row]:
    """The order's purchases, oldest first."""
    home = number.split(order_no).home
    return [
        Row(order_no, home, row[0], DeliveryKind.of(row[1]), DeliveryStatus.of(row[2]), *row[3:])
        for row in session.rows(_ALL, (order_no, home))
    ]


def one(session: Session, order_no: int, seq: int) -> Row | None:
    """The purchase of that seq."""
    return next((row for row in of(session, order_no) if row.seq == seq), None)


def facts(session: Session, order: Locked) -> Facts:
    """What is to be bought."""
    quantity, account, fields, product_id, kind, *rest = session.rows(_FACTS, (order.order_no, order.home))[0]
    return Facts(quantity, account, fields, product_id, DeliveryKind.of(kind), *rest)


def insert(
    session: Session, order: Locked, *, kind: DeliveryKind, supplier_id: int, source_id: int, due_at: datetime
) -> Row:
    """A new purchase with its request number, which is claimed; the caller holds the order's lock."""
    session.run(_DROP_PLAIN, (order.order_no, order.home))
    seq = next_seq(session, order)
    request_no = request_number(order.order_no, seq)
    values: dict[str, Any] = {
        "order_no": order.order_no,
        "home": order.home,
        "kind": kind.code,
        "supplier_id": supplier_id,
        "request_no": request_no,
        "source_id": source_id,
        "due_at": due_at,
    }
    session.run(_INSERT, values)
    if not outside.belongs(session, RefKind.SUPPLIER_REQUEST, supplier_id, request_no, order.order_no):
        raise RuntimeError(f"the request number {request_no} is taken")
    session.run(_SUPPLIER, (supplier_id, order.order_no, order.home))
    row = one(session, order.order_no, seq)
    assert row is not None  # noqa: S101 - just written
    return row


def next_seq(session: Session, order: Locked) -> int:
    """The number of the order's next delivery, of whatever kind."""
    return int(session.rows(_NEXT, (order.order_no, order.home))[0][0])


def request_number(order_no: int, seq: int) -> str:
    """Our number of an order's nth delivery: 17 to 19 letters and digits, as acg-faka takes them, and no order's own number.

    Base 36 of the order number (at most 13 digits), the seq, between letters.
    """
    digits = ""
    rest = order_no
    while rest:
        rest, digit = divmod(rest, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"c{digits:0>13}{seq:03d}"


def take(session: Session, row: Row, grace: timedelta) -> bool:
    """Takes the next call for this process; False when another took it since the row was read, or less than `grace` ago."""
    return session.run(_TAKE, (row.order_no, row.home, row.seq, row.attempts, grace)) == 1


def keep(
    session: Session,
    row: Row,
    status: DeliveryStatus,
    *,
    reason: str = "",
    supplier_no: str = "",
    cost: int | None = None,
) -> None:
    """Writes what is known of a purchase. `cost` is fen."""
    values = {"supplier_no": supplier_no, "cost": cost or 0, "status": status.code, "reason": reason[:300]}
    session.run(_KEEP, {**values, "order_no": row.order_no, "home": row.home, "seq": row.seq})


def lower_cost(session: Session, row: Row, cost: int) -> None:
    """The supplier gave money of an ended purchase back: it cost `cost` fen."""
    session.run(_LOWER, (cost, row.order_no, row.home, row.seq))


def say_why(session: Session, row: Row, words: str) -> None:
    """Puts the supplier's words on an ended purchase, for staff."""
    session.run(_WORDS, (words[:300], row.order_no, row.home, row.seq))


def lost(age: str) -> Sequence[tuple[int, int]]:
    """(order, seq) of purchases under way that nobody asked about for `age` (a PostgreSQL interval)."""
    with scoped(OPERATOR) as session:
        return [(int(row[0]), int(row[1])) for row in session.rows(_LOST, (age,))]


def parked(session: Session) -> list[Parked]:
    """Purchases of the session's merchants that wait for a person."""
    scope = session.scope
    return [Parked(*row) for row in session.rows(_PARKED, (list(scope.merchants), list(scope.homes)))]
