"""Payments that really happened: the one function a callback, a query, a confirmation by hand and a wallet all end in.

A fact is judged against the attempt it names (channel, payee, currency, amount) and counted once: the gateway's transaction
number is claimed in `external_refs`, whose primary key decides among any number of facts that arrive at once. Money that no
order can take is recorded and goes to the refund queue; it is never dropped and never delivers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_noop as N_  # noqa: N812 - the name gettext tools look for

from chadan.catalog.models import PaymentChannel
from chadan.orders import events, number, outside
from chadan.orders.states import Escrow, OrderStatus, PaymentMethod, PaymentStatus, RefKind
from chadan.orders.transitions import Locked, lock, transition
from chadan.payments import channels, records
from chadan.payments.gateways.base import Told
from chadan.payments.records import HAND, Attempt
from chadan.platform.errors import NotFound
from chadan.platform.scope import Scope, Session, scoped

_RECEIVED = """
update orders set paid = paid + %(amount)s, fee = fee + %(fee)s, updated_at = now()
where order_no = %(order_no)s and home = %(home)s
"""
_SAID = "select 1 from order_events where order_no = %s and home = %s and type = %s and biz ->> 'cause' = %s limit 1"
ALERT = "payment.alert"
"""The event of a payment that does not fit its order."""


class Source(StrEnum):
    """How a payment became known."""

    CALLBACK = "callback"
    QUERY = "query"
    MANUAL = "manual"
    WALLET = "wallet"


class Verdict(StrEnum):
    """What came of a payment fact."""

    PAID = "paid"
    PAID_LATE = "paid_late"  # the order had been cancelled: delivered if stock allows, else refunded
    REPEATED = "repeated"
    SECOND = "second"  # the order was paid already: recorded, refund queued
    WRONG_AMOUNT = "wrong_amount"  # recorded, refund queued
    WRONG_CURRENCY = "wrong_currency"
    WRONG_PAYEE = "wrong_payee"
    WRONG_CHANNEL = "wrong_channel"
    UNKNOWN_ORDER = "unknown_order"

    @property
    def taken(self) -> bool:
        """Whether the payment is on record, so that its gateway may stop telling."""
        return self in _TAKEN


_TAKEN = {Verdict.PAID, Verdict.PAID_LATE, Verdict.REPEATED, Verdict.SECOND, Verdict.WRONG_AMOUNT}


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """A payment that somebody entitled to say so says happened. `amount` is fen, `paid_at` aware.

    `payee` is the gateway's id of who received it; "" where nobody says (a query made with our own key, a hand).
    """

    channel_id: int
    txn_no: str
    out_no: str
    amount: int
    currency: str
    payee: str
    paid_at: datetime
    source: Source


def fact_of(channel: PaymentChannel, told: Told, source: Source) -> PaymentFact:
    """The fact in what a gateway told of a paid payment; an amount it did not say is one that fits no order."""
    amount = -1 if told.amount is None else told.amount
    txn_no, paid_at = told.txn_no or told.out_no, told.paid_at or number.now()
    return PaymentFact(channel.pk, txn_no, told.out_no, amount, told.currency, told.payee, paid_at, source)


def apply_payment_fact(fact: PaymentFact, actor: Mapping[str, Any]) -> Verdict:
    """Judges and records one payment, in one transaction; a repeated fact changes nothing.

    A payment of the exact amount makes a waiting order `paid` (cause `payment:<channel>:<txn>`), posts it to the ledger and
    defers `delivery.deliver`. One that does not fit leaves a `payment.alert` event; if money came, a refund is queued.
    """
    channel = PaymentChannel.objects.filter(pk=fact.channel_id).first()
    if channel is None:
        return Verdict.UNKNOWN_ORDER
    with scoped(Scope(merchants=(channel.merchant_id,), homes=(channel.home,))) as session:
        order_no = outside.holder(session, channel.home, RefKind.PAYMENT_OUT, channel.pk, fact.out_no)
        if order_no is None:
            return _stray(session, channel, fact, actor)
        order = lock(session, order_no)
        attempt = records.by_out_no(session, order_no, fact.out_no)
        misfit = misfit_of(channel, attempt, fact)
        if misfit is not None and (misfit is not Verdict.WRONG_AMOUNT or fact.amount <= 0):
            # Not ours, or paid without any money: there is nothing to record but that somebody said so.
            alert(session, order_no, misfit, attempt, fact, actor)
            return misfit
        if not outside.claim(session, RefKind.PAYMENT, channel.pk, fact.txn_no, order_no):
            return _claimed(session, channel, order_no, attempt, fact, actor)
        if attempt.status is PaymentStatus.SUCCESS and attempt.txn_no.startswith(HAND):
            records.renumber(session, attempt, fact.txn_no)
            return Verdict.REPEATED  # somebody had confirmed by hand what the gateway tells now
        return _received(session, channel, order, attempt, fact, actor, misfit)


def misfit_of(channel: PaymentChannel, attempt: Attempt, fact: PaymentFact) -> Verdict | None:
    """How a fact does not fit the attempt it names, the worst first; None when it does."""
    payee = channels.payee_of(channel)
    if fact.payee != payee and (fact.payee or fact.source is Source.CALLBACK) and payee:
        return Verdict.WRONG_PAYEE
    if fact.currency != attempt.currency:
        return Verdict.WRONG_CURRENCY
    if fact.amount <= 0 or (attempt.status is not PaymentStatus.SUCCESS and fact.amount != attempt.amount):
        return Verdict.WRONG_AMOUNT
    return None


def alert(  # noqa: PLR0917 - an alert names what it is about
    session: Session,
    order_no: int,
    verdict: Verdict,
    attempt: Attempt,
    fact: PaymentFact,
    actor: Mapping[str, Any],
) -> None:
    """Appends a `payment.alert` event, once for each transaction and verdict. The caller has locked the order."""
    cause = f"{verdict}:{fact.channel_id}:{fact.txn_no}"
    if session.rows(_SAID, (order_no, number.split(order_no).home, ALERT, cause)):
        return
    said = {
        "verdict": verdict,
        "cause": cause,
        "source": fact.source,
        "channel": fact.channel_id,
        "txn_no": fact.txn_no,
    }
    money = {"amount": fact.amount, "expected": attempt.amount, "currency": fact.currency, "payee": fact.payee}
    events.append(session, order_no, ALERT, actor, {**said, **money})


def pay_from_wallet(
    session: Session, order_no: int, channel: PaymentChannel | None, actor: Mapping[str, Any]
) -> Verdict:
    """Pays a waiting order from its buyer's (or agent's) wallet, in the caller's transaction and its merchant's scope.

    Without a channel the purchase is the machine's own, such as an agent's upstream order. Raises InsufficientBalance.
    """
    order = lock(session, order_no)
    if order.status is not OrderStatus.PENDING_PAYMENT:
        return Verdict.REPEATED
    now = number.now()
    channel_id = None if channel is None else channel.pk
    attempt = records.insert(
        session, order_no, channel_id=channel_id, method=PaymentMethod.BALANCE, amount=order.amount, paid_at=now
    )
    records.paid(session, attempt, amount=order.amount, txn_no=attempt.out_no, paid_at=now, fee=0)
    outside.claim(session, RefKind.PAYMENT, channel_id or 0, attempt.out_no, order_no)
    from chadan.money import flows

    cause = f"payment:{channel_id or 0}:{attempt.out_no}"
    flows.wallet_paid(session, order, amount=order.amount, cause=cause, actor=actor)
    session.run(_RECEIVED, {"amount": order.amount, "fee": 0, "order_no": order.order_no, "home": order.home})
    _pay(session, order, PaymentMethod.BALANCE, cause, actor)
    return Verdict.PAID


def pay_nothing(session: Session, order_no: int, actor: Mapping[str, Any]) -> Verdict:
    """Takes an order that costs nothing as paid, in the caller's transaction and its merchant's scope."""
    order = lock(session, order_no)
    if order.status is not OrderStatus.PENDING_PAYMENT or order.amount:
        return Verdict.REPEATED
    _pay(session, order, PaymentMethod.BALANCE, f"payment:0:{number.text(order_no)}", actor)
    return Verdict.PAID


def _received(  # noqa: PLR0917 - everything a payment is made of
    session: Session,
    channel: PaymentChannel,
    order: Locked,
    attempt: Attempt,
    fact: PaymentFact,
    actor: Mapping[str, Any],
    misfit: Verdict | None,
) -> Verdict:
    """Records money that came, and lets it pay the order or sends it back."""
    if attempt.status is PaymentStatus.SUCCESS:  # a second transaction under the same number
        attempt = records.insert(
            session,
            order.order_no,
            channel_id=channel.pk,
            method=attempt.method,
            amount=fact.amount,
            out_no=fact.out_no,
            paid_at=fact.paid_at,
        )
    fee = fee_of(channel, fact.amount)
    cause = f"payment:{channel.pk}:{fact.txn_no}"
    records.paid(session, attempt, amount=fact.amount, txn_no=fact.txn_no, paid_at=fact.paid_at, fee=fee)
    session.run(_RECEIVED, {"amount": fact.amount, "fee": fee, "order_no": order.order_no, "home": order.home})
    from chadan.money import flows

    flows.payment_received(session, order, channel_id=channel.pk, amount=fact.amount, fee=fee, cause=cause, actor=actor)
    if misfit is None and order.status in (OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED):
        _pay(session, order, PaymentMethod.of(channel.method), cause, actor)
        return Verdict.PAID if order.status is OrderStatus.PENDING_PAYMENT else Verdict.PAID_LATE
    verdict = misfit or Verdict.SECOND
    alert(session, order.order_no, verdict, attempt, fact, actor)
    _give_back(session, order.order_no, attempt.seq, fact.amount, verdict)
    return verdict


def _pay(session: Session, order: Locked, method: PaymentMethod, cause: str, actor: Mapping[str, Any]) -> None:
    """The order's step to `paid` and the job that delivers it. A late payment says so: delivery then must not wait for stock."""
    late = order.status is OrderStatus.CANCELLED
    transition(
        session,
        order.order_no,
        OrderStatus.PAID,
        actor=actor,
        reason=N_("payment received after the order was cancelled") if late else N_("payment received"),
        cause=cause,
        changes={"payment_method": method.code, "escrow": Escrow.HELD.code},
        biz={"late": True} if late else None,
    )
    from procrastinate.contrib.django import app

    app.configure_task("delivery.deliver", lock=f"order:{order.order_no}").defer(order_no=order.order_no)


def _give_back(session: Session, order_no: int, seq: int, amount: int, verdict: Verdict) -> None:
    from chadan.payments import refunds

    reason = N_("Paid a second time.") if verdict is Verdict.SECOND else N_("Paid an amount that is not the order's.")
    refunds.request(session, order_no, amount, reason, events.system("payments"), payment_seq=seq)


def _claimed(  # noqa: PLR0917 - judged by all of them
    session: Session,
    channel: PaymentChannel,
    order_no: int,
    attempt: Attempt,
    fact: PaymentFact,
    actor: Mapping[str, Any],
) -> Verdict:
    """A transaction number known before: the same payment told again, or one that pays another order."""
    if outside.holder(session, channel.home, RefKind.PAYMENT, channel.pk, fact.txn_no) == order_no:
        return Verdict.REPEATED
    alert(session, order_no, Verdict.WRONG_CHANNEL, attempt, fact, actor)
    return Verdict.WRONG_CHANNEL


def _stray(session: Session, channel: PaymentChannel, fact: PaymentFact, actor: Mapping[str, Any]) -> Verdict:
    """A number this channel was never given: ours, but of another channel, or nobody's."""
    order_no = number.parse(fact.out_no[: number.LENGTH])
    if order_no is None or number.split(order_no).home != channel.home:
        return Verdict.UNKNOWN_ORDER
    try:
        attempt = records.by_out_no(session, order_no, fact.out_no)
    except NotFound:
        return Verdict.UNKNOWN_ORDER
    lock(session, order_no)
    alert(session, order_no, Verdict.WRONG_CHANNEL, attempt, fact, actor)
    return Verdict.WRONG_CHANNEL


def fee_of(channel: PaymentChannel, amount: int) -> int:
    """What the gateway keeps of `amount` fen, rounded half up."""
    return (amount * channel.fee_rate + 5000) // 10000
