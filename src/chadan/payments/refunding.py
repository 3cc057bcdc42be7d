"""Sending a refund: asked about before it is sent again, and on the books in the transaction that learns it is done."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext, override
from django.utils.translation import gettext_noop as N_  # noqa: N812 - the name gettext tools look for
from procrastinate.contrib.django import app

from chadan.accounts.models import Buyer
from chadan.catalog.models import PaymentChannel
from chadan.orders import events, number
from chadan.orders.states import Escrow, OrderStatus, RefundStatus
from chadan.orders.transitions import Locked, lock, may_move, transition
from chadan.payments import channels, records, refunds
from chadan.payments.gateways.base import GatewayRefused, GatewayUnreachable, RefundRequest, RefundState, RefundTold
from chadan.payments.records import Attempt
from chadan.payments.refunds import MOST_ATTEMPTS, Refund
from chadan.platform import jobs
from chadan.platform.scope import Session, scoped

log = logging.getLogger(__name__)
AGAIN = (30, 60, 120, 300, 900, 3600)
"""Seconds until a refund that is not known to be done is asked about again."""
_GIVEN_BACK = """
update orders set refunded = refunded + %s, updated_at = now() where order_no = %s and home = %s returning paid, refunded
"""
_PAYMENT_BACK = """
update order_payments p set status = 3
where p.order_no = %(order_no)s and p.home = %(home)s and p.seq = %(seq)s and p.amount <= (
    select sum(amount) from order_refunds r
    where r.order_no = %(order_no)s and r.home = %(home)s and r.payment_seq = %(seq)s and r.status = 2)
"""
_S = OrderStatus
_WAY: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    _S.PAID: (_S.REFUNDED,),
    _S.FAILED: (_S.REFUNDED,),
    _S.AFTER_SALE: (_S.REFUNDED,),
    _S.PROCESSING: (_S.FAILED, _S.REFUNDED),
    _S.DELIVERED: (_S.AFTER_SALE, _S.REFUNDED),
    _S.COMPLETED: (_S.AFTER_SALE, _S.REFUNDED),
}
"""How a wholly refunded order gets to `refunded`. One that never became paid stays what it is."""


def run(order_no: int, seq: int) -> None:
    """Does what is next for one refund; nothing when it is done or failed, or another process is at it. Raises NotFound."""
    with _alone(f"refund:{order_no}:{seq}") as alone:
        if alone:
            _run(order_no, seq)


def _run(order_no: int, seq: int) -> None:
    scope = records.system_scope(order_no)
    with scoped(scope) as session:
        order = lock(session, order_no)
        one = refunds.get(session, order_no, seq)
        if one.status in (RefundStatus.DONE, RefundStatus.FAILED):
            return
        payment = records.attempt(session, order_no, one.payment_seq or 1)
        channel = PaymentChannel.objects.filter(pk=payment.channel_id or 0).first()
        if channel is None or not channels.is_gateway(channel) or not channels.gateway(channel).can_refund:
            _without_gateway(session, order, one, channel)
            return
        refunds.mark(session, one, RefundStatus.SENDING, attempts=one.attempts + 1)
    told = _ask(channel, one, payment)
    with scoped(scope) as session:
        lock(session, order_no)
        now = refunds.get(session, order_no, seq)
        if now.status is RefundStatus.SENDING:
            _heed(session, now, told)


def finish(
    session: Session,
    one: Refund,
    refund_no: str,
    actor: Mapping[str, Any],
    *,
    by_hand: bool = False,
    to_wallet: bool = False,
) -> None:
    """Books a refund that is done, in the caller's transaction: the order's sums, its ledger, and its state if all is back."""
    order = lock(session, one.order_no)
    if refunds.get(session, one.order_no, one.seq).status is RefundStatus.DONE:
        return
    refunds.mark(session, one, RefundStatus.DONE, refund_no=refund_no)
    rows = session.rows(_GIVEN_BACK, (one.amount, one.order_no, one.home))
    session.run(_PAYMENT_BACK, {"order_no": one.order_no, "home": one.home, "seq": one.payment_seq})
    payment = records.attempt(session, one.order_no, one.payment_seq or 1)
    from chadan.money import flows

    cause = f"refund:{number.text(one.order_no)}:{one.seq}"
    to = None if to_wallet else payment.channel_id
    flows.refunded(session, order, amount=one.amount, channel_id=to, cause=cause, actor=actor)
    said = {"seq": one.seq, "payment": one.payment_seq, "amount": one.amount, "refund_no": refund_no}
    events.append(session, one.order_no, "refund.done", actor, {**said, "by_hand": by_hand, "to_wallet": to_wallet})
    if order.agent_id is not None:  # the agent's sale costs less now
        app.configure_task("delivery.purchase_done").defer(order_no=order.order_no)
    if rows[0][0] <= rows[0][1]:
        _all_back(session, order, one.reason, cause, actor)


def _all_back(session: Session, order: Locked, reason: str, cause: str, actor: Mapping[str, Any]) -> None:
    """Everything paid is back: the order becomes refunded by the way its state allows."""
    from chadan.delivery import costs

    for to in _WAY.get(order.status, ()):
        if may_move(order, to):
            ends = to is OrderStatus.REFUNDED
            changes = {"escrow": Escrow.RETURNED.code, **costs.of_nothing(session, order)} if ends else None
            transition(session, order.order_no, to, actor=actor, reason=reason, cause=cause, changes=changes)
            order = replace(order, status=to)


def _without_gateway(session: Session, order: Locked, one: Refund, channel: PaymentChannel | None) -> None:
    """Into the buyer's wallet when there is an account, else onto the list of what a person has to do."""
    account = order.agent_id is not None and channel is None
    if account or Buyer.objects.filter(pk=order.buyer_id, user__isnull=False).exists():
        refunds.mark(session, one, RefundStatus.SENDING, attempts=one.attempts + 1)
        finish(session, one, "", events.system("payments"), to_wallet=True)
        return
    _fail(session, one, N_("This way of payment cannot refund. Give the money back by hand."))


def _ask(channel: PaymentChannel, one: Refund, payment: Attempt) -> RefundTold | None:
    """The gateway's word, outside any transaction; None when there is none. What may have been sent is asked about first."""
    records.outside_transaction()
    with override(settings.LANGUAGE_CODE):  # buyers read it in their payment app
        reason = gettext(one.reason)
    wanted = RefundRequest(
        out_no=payment.out_no,
        txn_no=payment.txn_no,
        request_no=one.request_no,
        amount=one.amount,
        total=payment.amount,
        reason=reason,
    )
    gateway = channels.gateway(channel)
    try:
        if one.attempts > 0:
            told = gateway.query_refund(wanted)
            if told.state in (RefundState.DONE, RefundState.PENDING):
                return told
        return gateway.refund(wanted)
    except GatewayUnreachable as error:
        log.info("refund not answered", extra={"request": one.request_no, "reason": error.code})
        return None
    except GatewayRefused as error:
        return RefundTold(RefundState.FAILED, reason=error.message)


def _heed(session: Session, one: Refund, told: RefundTold | None) -> None:
    """Writes what the gateway said, and asks again later where it is not the last word."""
    if told is not None and told.state is RefundState.DONE:
        finish(session, one, told.refund_no, events.system("payments"))
    elif told is not None and told.state is RefundState.FAILED:
        _fail(session, one, told.reason or N_("The gateway refused the refund."))
    elif one.attempts >= MOST_ATTEMPTS:
        _fail(session, one, N_("The gateway has not answered. Look at its own pages before you pay back by hand."))
    else:
        error = "" if told is not None else N_("The gateway did not answer.")
        refunds.mark(session, one, RefundStatus.SENDING, error=error, refund_no=told.refund_no if told else "")
        wait = timedelta(seconds=AGAIN[min(one.attempts, len(AGAIN)) - 1])
        name = f"refund:{one.order_no}:{one.seq}"
        jobs.job("payments.refund", lock=name, schedule_at=number.now() + wait).defer(
            order_no=one.order_no, seq=one.seq
        )


def _fail(session: Session, one: Refund, error: str) -> None:
    refunds.mark(session, one, RefundStatus.FAILED, error=error)
    events.append(
        session, one.order_no, "refund.failed", events.system("payments"), {"seq": one.seq, "error": error[:300]}
    )


@contextmanager
def _alone(name: str) -> Iterator[bool]:
    """Whether this process is the only one in here: a lock the database lets go of when the process dies."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        (held,) = cursor.fetchone()
        try:
            yield bool(held)
        finally:
            if held:
                cursor.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [name])
