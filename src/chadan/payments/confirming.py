"""Confirming by hand that money arrived: a fact like any other, with a person's name under it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import PaymentChannel
from chadan.orders import number
from chadan.orders.events import actor_json
from chadan.orders.states import OrderStatus
from chadan.orders.transitions import Locked, lock
from chadan.payments import attempts, channels, facts, records
from chadan.payments.facts import PaymentFact, Source, Verdict
from chadan.payments.records import HAND
from chadan.platform.errors import Conflict, InvalidInput, NotFound
from chadan.platform.scope import Session, scoped

_TXN = 64


@dataclass(frozen=True, slots=True)
class Confirmable:
    """An order somebody may confirm the payment of: `amount` in fen, and the channels it may have come through.

    `likely` is the channel the buyer chose last, else the one for transfers; None when there is neither.
    """

    order_no: int
    amount: int
    late: bool
    channels: list[PaymentChannel]
    likely: int | None


def confirmable(actor: Actor, order_no: int) -> Confirmable:
    """What a confirmation would say. Raises Forbidden, NotFound, Conflict when the order is not waiting for money."""
    actor.require(Permission.CONFIRM)
    with scoped(actor.scope) as session:
        order = _waiting(session, actor, order_no)
        chosen = [one.channel_id for one in records.attempts_of(session, order_no) if one.open and one.channel_id]
    taken = PaymentChannel.objects.filter(merchant_id=order.merchant_id).exclude(protocol__in=["", channels.BALANCE])
    late = order.status is OrderStatus.CANCELLED
    listed = list(taken.order_by("-enabled", "position", "pk"))
    transfers = [one.pk for one in listed if one.protocol == channels.MANUAL]
    likely = next((pk for pk in (*reversed(chosen), *transfers) if pk in {one.pk for one in listed}), None)
    return Confirmable(order_no, order.amount, late, listed, likely)


def confirm(actor: Actor, order_no: int, channel_id: int, txn_no: str = "") -> Verdict:
    """Says the order's exact amount arrived through a channel, as transaction `txn_no` where it is known.

    Raises Forbidden, NotFound, InvalidInput, and Conflict when the order is not waiting for money.
    """
    actor.require(Permission.CONFIRM)
    txn_no = txn_no.replace("\x00", "").strip()
    if len(txn_no) > _TXN:
        raise InvalidInput(_("A transaction number has at most 64 characters."), field="txn_no")
    with scoped(actor.scope) as session:
        order = _waiting(session, actor, order_no)
        channel = PaymentChannel.objects.filter(pk=channel_id, merchant_id=order.merchant_id).first()
        if channel is None or channel.protocol in ("", channels.BALANCE):
            raise InvalidInput(_("Choose the channel the money came through."), field="channel")
        attempt = attempts.open_attempt(session, order, channel)
        fact = PaymentFact(
            channel_id=channel.pk,
            txn_no=txn_no or f"{HAND}{attempt.out_no}",
            out_no=attempt.out_no,
            amount=order.amount,
            currency=attempt.currency,
            payee="",
            paid_at=number.now(),
            source=Source.MANUAL,
        )
        return facts.apply_payment_fact(fact, actor_json(actor))


def _waiting(session: Session, actor: Actor, order_no: int) -> Locked:
    if not number.is_valid(order_no):
        raise NotFound(_("There is no such order."))
    order = lock(session, order_no)
    if actor.merchant_id is not None and order.merchant_id != actor.merchant_id:
        raise NotFound(_("There is no such order."))
    if order.status not in (OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED):
        raise Conflict(_("This order is not waiting for money."), hint=_("Look at the order."))
    return order
