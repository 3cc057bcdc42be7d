"""Giving money back: the queue every refund goes through, and what staff do with those that do not go by themselves.

A refund gives back one payment, or part of it. Its number is persisted before a gateway hears it; `refunding` sends it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.orders import events, number, outside
from chadan.orders.states import PaymentStatus, RefKind, RefundStatus
from chadan.orders.transitions import Locked, lock
from chadan.payments import records
from chadan.payments.records import Attempt
from chadan.platform import jobs
from chadan.platform.errors import Conflict, InvalidInput, NotFound
from chadan.platform.scope import OPERATOR, Session, scoped

_COLUMNS = "order_no, home, seq, payment_seq, amount, status, reason, request_no, refund_no, error, attempts, created_at, done_at"
_ALL = f"select {_COLUMNS} from order_refunds where order_no = %s and home = %s order by seq"
_INSERT = """
insert into order_refunds (order_no, home, seq, payment_seq, amount, reason, request_no, actor)
values (%s, %s, %s, %s, %s, %s, %s, %s::jsonb)
"""
_SET = """
update order_refunds set status = %(status)s, error = %(error)s, refund_no = %(refund_no)s, attempts = %(attempts)s,
    done_at = case when %(status)s = 2 then now() else null end
where order_no = %(order_no)s and home = %(home)s and seq = %(seq)s
"""
_QUEUE = f"""
select {", ".join("r." + name for name in _COLUMNS.split(", "))}, o.currency, o.status
from order_refunds r join orders o on o.order_no = r.order_no and o.home = r.home
where (o.merchant_id = any(%s::bigint[]) or %s) and r.order_no >= %s and (r.status in (0, 1, 3) or r.created_at > now() - interval '30 days')
order by (r.status = 2), r.status = 1, r.created_at desc limit 200
"""
_OVERDUE = """
select order_no, seq from order_refunds
where order_no >= %s and ((status = 0 and created_at < now() - interval '5 minutes')
      or (status = 1 and created_at < now() - interval '5 minutes' * (attempts + 1)))
  and attempts < %s limit 200
"""
_YEAR = timedelta(days=366)
MOST_ATTEMPTS = 10
"""After so many unanswered calls a refund is failed and waits for a hand."""
REASON = 200


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund. `amount` is fen; `payment_seq` the payment it gives back."""

    order_no: int
    home: int
    seq: int
    payment_seq: int | None
    amount: int
    status: RefundStatus
    reason: str
    request_no: str
    refund_no: str
    error: str
    attempts: int
    created_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Queued:
    """A refund in the queue's list, with its order's currency and state's code."""

    refund: Refund
    currency: str
    order_status: int


def request(
    session: Session,
    order_no: int,
    amount: int,
    reason: str,
    actor: Mapping[str, Any],
    *,
    payment_seq: int | None = None,
    cause: str = "",
) -> int:
    """Queues a refund of `amount` fen in the session's transaction and defers its job; returns its seq.

    Without `payment_seq` the newest payments give back first; an amount over one payment's rest becomes several refunds, of
    which the first is returned. `cause` names what it is part of, such as a batch. Raises NotFound, InvalidInput (no reason, an
    amount over what is paid, not refunded and not queued).
    """
    order = lock(session, order_no)
    reason = reason.replace("\x00", "").strip()[:REASON]
    if not reason:
        raise InvalidInput(_("Say why the money goes back."), field="reason")
    rest = _rests(session, order)
    if payment_seq is not None:
        rest = [(one, left) for one, left in rest if one.seq == payment_seq]
    if amount <= 0 or amount > min(sum(left for _one, left in rest), refundable(session, order)):
        raise InvalidInput(_("That is more than can be refunded, or nothing."), field="amount")
    made = []
    for one, left in rest:
        part = min(left, amount)
        if part > 0:
            made.append(_queue(session, order, one, amount=part, reason=reason, actor=actor, cause=cause))
            amount -= part
    return made[0]


def refundable(session: Session, order: Locked) -> int:
    """What may still be refunded of a locked order: paid, less refunded, less queued. Fen."""
    queued = sum(one.amount for one in refunds_of(session, order.order_no) if one.status is not RefundStatus.DONE)
    return order.paid - order.refunded - queued


def refunds_of(session: Session, order_no: int) -> list[Refund]:
    """Every refund of an order, oldest first."""
    return [_refund(row) for row in session.rows(_ALL, (order_no, number.split(order_no).home))]


def get(session: Session, order_no: int, seq: int) -> Refund:
    """One refund. Raises NotFound."""
    found = next((one for one in refunds_of(session, order_no) if one.seq == seq), None)
    if found is None:
        raise NotFound(_("There is no such refund."))
    return found


def mark(
    session: Session,
    one: Refund,
    status: RefundStatus,
    *,
    error: str = "",
    refund_no: str = "",
    attempts: int | None = None,
) -> None:
    """Writes where a refund stands. The caller has locked the order."""
    calls = one.attempts if attempts is None else attempts
    values = {"status": status.code, "error": error[:300], "refund_no": refund_no or one.refund_no, "attempts": calls}
    session.run(_SET, {**values, "order_no": one.order_no, "home": one.home, "seq": one.seq})


def queue_of(actor: Actor) -> list[Queued]:
    """The acting merchant's (for the operator everybody's) refunds: unfinished first, then the last 30 days'."""
    actor.require(Permission.REFUND)
    floor = number.floor(number.now() - _YEAR)
    with scoped(actor.scope) as session:
        rows = session.rows(_QUEUE, (list(actor.scope.merchants), actor.scope.operator, floor))
    return [Queued(_refund(row[:13]), row[13], row[14]) for row in rows]


def retry(actor: Actor, order_no: int, seq: int) -> None:
    """Queues a failed refund again. It is asked about before it is sent. Raises Forbidden, NotFound, Conflict."""
    actor.require(Permission.REFUND)
    with scoped(actor.scope) as session:
        one = _failed(session, actor, order_no, seq)
        mark(session, one, RefundStatus.QUEUED, attempts=min(one.attempts, 1))
        events.append(session, order_no, "refund.retried", events.actor_json(actor), {"seq": seq})
        _defer(order_no, seq)


def done_by_hand(actor: Actor, order_no: int, seq: int) -> None:
    """Says a failed refund was paid back outside Chadan. Raises Forbidden, NotFound, Conflict."""
    actor.require(Permission.REFUND)
    from chadan.payments import refunding

    with scoped(actor.scope) as session:
        one = _failed(session, actor, order_no, seq)
        refunding.finish(session, one, "", events.actor_json(actor), by_hand=True)


def overdue() -> list[tuple[int, int]]:
    """(order, seq) of refunds whose job was lost."""
    floor = number.floor(number.now() - _YEAR)
    with scoped(OPERATOR) as session:
        return [(row[0], row[1]) for row in session.rows(_OVERDUE, (floor, MOST_ATTEMPTS))]


def _queue(
    session: Session, order: Locked, one: Attempt, *, amount: int, reason: str, actor: Mapping[str, Any], cause: str
) -> int:
    seq = len(refunds_of(session, order.order_no)) + 1
    request_no = f"{number.text(order.order_no)}R{seq:02d}"
    who = json.dumps(dict(actor), ensure_ascii=False)
    session.run(_INSERT, (order.order_no, order.home, seq, one.seq, amount, reason, request_no, who))
    outside.claim(session, RefKind.REFUND, one.channel_id or 0, request_no, order.order_no)
    fact = {"seq": seq, "payment": one.seq, "amount": amount, "reason": reason, "request_no": request_no}
    fact |= {"cause": cause} if cause else {}
    events.append(session, order.order_no, "refund.requested", actor, fact)
    _defer(order.order_no, seq)
    return seq


def _rests(session: Session, order: Locked) -> list[tuple[Attempt, int]]:
    """(payment, what it can still give back), newest first."""
    given: dict[int | None, int] = {}
    for one in refunds_of(session, order.order_no):
        given[one.payment_seq] = given.get(one.payment_seq, 0) + one.amount
    taken = [PaymentStatus.SUCCESS, PaymentStatus.REFUNDED]
    # What an import says was paid elsewhere is refunded there: no gateway of ours and no ledger knows it.
    ours = [
        one
        for one in records.attempts_of(session, order.order_no)
        if one.out_no.startswith(number.text(order.order_no))
    ]
    payments = [one for one in ours if one.status in taken]
    return [(one, one.amount - given.get(one.seq, 0)) for one in reversed(payments)]


def _failed(session: Session, actor: Actor, order_no: int, seq: int) -> Refund:
    order = lock(session, order_no)
    if actor.merchant_id is not None and order.merchant_id != actor.merchant_id:
        raise NotFound(_("There is no such order."))
    one = get(session, order_no, seq)
    if one.status is not RefundStatus.FAILED:
        raise Conflict(_("Only a failed refund takes this."), hint=_("Reload the list."))
    return one


def _defer(order_no: int, seq: int) -> None:
    jobs.job("payments.refund", lock=f"refund:{order_no}:{seq}").defer(order_no=order_no, seq=seq)


def _refund(row: tuple[Any, ...]) -> Refund:
    order_no, home, seq, payment_seq, amount, status, *rest = row
    return Refund(order_no, home, seq, payment_seq, amount, RefundStatus.of(status), *rest)
