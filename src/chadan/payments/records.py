"""The rows of payments: every attempt to pay an order, and the outside numbers that guard them.

Every statement names (order_no, home) and runs in the scope of the order's merchant or buyer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from chadan.orders import number
from chadan.orders.states import PaymentMethod, PaymentStatus
from chadan.payments.gateways.base import PayStart, Show
from chadan.platform.errors import NotFound
from chadan.platform.scope import OPERATOR, Scope, Session, scoped

HAND = "hand:"
"""How the transaction number of a payment begins that somebody confirmed without naming the gateway's."""

_COLUMNS = """order_no, home, seq, channel_id, method, status, amount, currency, out_no, txn_no, pay_url, pay_show, created_at,
paid_at, expires_at, queried_at, queries"""
_BY_SEQ = f"select {_COLUMNS} from order_payments where order_no = %s and home = %s and seq = %s"
_ALL = f"select {_COLUMNS} from order_payments where order_no = %s and home = %s order by seq"
_INSERT = f"""
insert into order_payments (order_no, home, seq, channel_id, method, status, amount, out_no, txn_no, created_at, paid_at,
                            expires_at)
select %(order_no)s, %(home)s, %(seq)s, %(channel_id)s, %(method)s, %(status)s, %(amount)s, %(out_no)s, %(txn_no)s, now(),
       %(paid_at)s, %(expires_at)s
returning {_COLUMNS}
"""
_NEXT = "select coalesce(max(seq), 0) + 1 from order_payments where order_no = %s and home = %s"
_STARTED = """
update order_payments set pay_url = %s, pay_show = %s, txn_no = case when txn_no = '' then %s else txn_no end
where order_no = %s and home = %s and seq = %s and status = 0
"""
_PAID = """
update order_payments set status = 1, amount = %(amount)s, txn_no = %(txn_no)s, paid_at = %(paid_at)s, fee = %(fee)s
where order_no = %(order_no)s and home = %(home)s and seq = %(seq)s
"""
_ASKED = """
update order_payments set queried_at = now(), queries = queries + 1, status = case when status = 0 then %s else status end
where order_no = %s and home = %s and seq = %s
"""
_RENUMBER = "update order_payments set txn_no = %s where order_no = %s and home = %s and seq = %s"
_OWNER = "select merchant_id, buyer_id from orders where order_no = %s and home = %s"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to pay an order. Money is fen; `show` is None until the gateway has answered."""

    order_no: int
    home: int
    seq: int
    channel_id: int | None
    method: PaymentMethod
    status: PaymentStatus
    amount: int
    currency: str
    out_no: str
    txn_no: str
    pay_url: str
    show: Show | None
    created_at: datetime
    paid_at: datetime | None
    expires_at: datetime | None
    queried_at: datetime | None
    queries: int

    @property
    def open(self) -> bool:
        """Whether money may still come: a payment the gateway closed is asked about as long as it might be wrong."""
        return self.status in (PaymentStatus.PENDING, PaymentStatus.FAILED)


def out_no_of(order_no: int, seq: int) -> str:
    """Our number of an attempt: the order's 19 digits and the attempt's. At most 24 characters; every gateway takes 32."""
    return f"{number.text(order_no)}{seq:02d}"


def owner_of(order_no: int) -> tuple[int, int]:
    """(merchant, buyer) of an order, whoever asks: for the machine and for the door. Raises NotFound."""
    if not number.is_valid(order_no):
        raise NotFound("There is no such order.")
    with scoped(OPERATOR) as session:
        rows = session.rows(_OWNER, (order_no, number.split(order_no).home))
    if not rows:
        raise NotFound("There is no such order.")
    return rows[0][0], rows[0][1]


def system_scope(order_no: int) -> Scope:
    """The scope in which the machine works on an order: its merchant's. Raises NotFound."""
    return Scope(merchants=(owner_of(order_no)[0],), homes=(number.split(order_no).home,))


def outside_transaction() -> None:
    """Makes sure that what was written is committed before a gateway hears of it, and that no lock waits for its answer.

    Raises RuntimeError inside a transaction: a mistake of the calling code.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a gateway is never called inside a transaction")


def attempts_of(session: Session, order_no: int) -> list[Attempt]:
    """Every attempt to pay the order, oldest first."""
    return [_attempt(row) for row in session.rows(_ALL, (order_no, number.split(order_no).home))]


def attempt(session: Session, order_no: int, seq: int) -> Attempt:
    """One attempt. Raises NotFound."""
    rows = session.rows(_BY_SEQ, (order_no, number.split(order_no).home, seq))
    if not rows:
        raise NotFound("There is no such payment.")
    return _attempt(rows[0])


def by_out_no(session: Session, order_no: int, out_no: str) -> Attempt:
    """The attempt our number names (the first, where a second transaction came under it). Raises NotFound."""
    found = next((one for one in attempts_of(session, order_no) if one.out_no == out_no), None)
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def insert(
    session: Session,
    order_no: int,
    *,
    channel_id: int | None,
    method: PaymentMethod,
    amount: int,
    out_no: str = "",
    txn_no: str = "",
    expires_at: datetime | None = None,
    paid_at: datetime | None = None,
) -> Attempt:
    """Writes the next attempt of an order whose row the caller has locked; paid already when `paid_at` is given.

    Without an `out_no` it gets its own, from the order number and its place.
    """
    home = number.split(order_no).home
    seq = int(session.rows(_NEXT, (order_no, home))[0][0])
    status = PaymentStatus.PENDING if paid_at is None else PaymentStatus.SUCCESS
    values = {
        "order_no": order_no,
        "home": home,
        "seq": seq,
        "channel_id": channel_id,
        "method": method.code,
        "status": status.code,
        "amount": amount,
        "out_no": out_no or out_no_of(order_no, seq),
        "txn_no": txn_no,
        "paid_at": paid_at,
        "expires_at": expires_at,
    }
    return _attempt(session.rows(_INSERT, values)[0])


def started(session: Session, one: Attempt, start: PayStart) -> None:
    """Stores what the gateway answered; an attempt that was paid meanwhile keeps what it has."""
    session.run(_STARTED, (start.url, start.show.value, start.txn_no, one.order_no, one.home, one.seq))


def paid(session: Session, one: Attempt, *, amount: int, txn_no: str, paid_at: datetime, fee: int) -> None:
    """Marks an attempt paid with what really came."""
    values = {"amount": amount, "txn_no": txn_no, "paid_at": paid_at, "fee": fee}
    session.run(_PAID, {**values, "order_no": one.order_no, "home": one.home, "seq": one.seq})


def asked(session: Session, one: Attempt, *, closed: bool = False) -> None:
    """Notes that the gateway was asked and had no payment; `closed`: it will not take one any more."""
    status = PaymentStatus.FAILED if closed else PaymentStatus.PENDING
    session.run(_ASKED, (status.code, one.order_no, one.home, one.seq))


def renumber(session: Session, one: Attempt, txn_no: str) -> None:
    """Gives a payment that was confirmed by hand the gateway's own number."""
    session.run(_RENUMBER, (txn_no, one.order_no, one.home, one.seq))


def _attempt(row: tuple[Any, ...]) -> Attempt:
    order_no, home, seq, channel_id, method, status, amount, currency, out_no, txn_no, url, show, *times = row
    return Attempt(
        *(order_no, home, seq, channel_id, PaymentMethod.of(method), PaymentStatus.of(status), amount, currency),
        *(out_no, txn_no, url, Show(show) if show else None, *times),
    )
