"""Asking gateways for what they did not tell: a lost callback is paid at the next look, at most two minutes later."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from time import monotonic

from chadan.catalog.models import PaymentChannel
from chadan.orders import events, number
from chadan.orders.states import PaymentStatus
from chadan.orders.transitions import lock
from chadan.payments import channels, facts, looks, records, refunds
from chadan.payments.facts import Source, Verdict
from chadan.payments.gateways.base import GatewayRefused, GatewayUnreachable, PayState
from chadan.payments.records import Attempt
from chadan.platform.scope import OPERATOR, Session, scoped

log = logging.getLogger(__name__)
GRACE = 45
"""Seconds a look may be late before the sweep takes it over."""
QUIET = 30.0
"""Seconds for which no look is made at a channel whose gateway did not answer: one that hangs holds a worker for 10 s a question,
and the looks at all its open payments would keep those at other gateways, and deliveries, waiting."""
silent: dict[int, float] = {}
"""Until when, by the monotonic clock, this process leaves a channel alone in its looks."""
PAID_BACK = "payment.paid_back_outside"
_RECENT = timedelta(hours=25)
_OVERDUE = """
select order_no, seq from order_payments
where order_no >= %(floor)s and status = 0 and channel_id is not null and created_at > now() - interval '24 hours'
  and (exists (select 1 from unnest(%(marks)s::int[]) mark
               where created_at + make_interval(secs => mark + %(grace)s) < now()
                 and (queried_at is null or queried_at < created_at + make_interval(secs => mark)))
       or (expires_at > now() and coalesce(queried_at, created_at) < now() - make_interval(secs => %(pace)s + %(grace)s)))
  and channel_id = any(%(channels)s::bigint[])
limit 500
"""
_OUTSIDE = "select 1 from order_events where order_no = %s and home = %s and type = %s limit 1"


def look(order_no: int, seq: int) -> None:
    """A look of the schedule (`payments.looks`): defers the next one while money may come, then asks.

    A gateway that did not answer within the last QUIET seconds is left to the next look. Raises NotFound.
    """
    with scoped(records.system_scope(order_no)) as session:
        attempt = records.attempt(session, order_no, seq)
        if attempt.open:
            looks.defer_next(attempt, session.rows("select now()")[0][0])
    if monotonic() >= silent.get(attempt.channel_id or 0, 0.0):
        ask(order_no, seq)


def ask(order_no: int, seq: int) -> PayState:
    """Asks the gateway about one attempt and applies what it says. UNKNOWN: it could not be asked, or has no gateway.

    The call happens outside any transaction. An attempt that is paid is not asked about again. Raises NotFound.
    """
    scope = records.system_scope(order_no)
    with scoped(scope) as session:
        attempt = records.attempt(session, order_no, seq)
    if attempt.status is PaymentStatus.SUCCESS:
        return PayState.PAID
    channel = PaymentChannel.objects.filter(pk=attempt.channel_id or 0).first()
    if channel is None or not channels.is_gateway(channel) or not attempt.open:
        return PayState.UNKNOWN
    records.outside_transaction()
    try:
        told = channels.gateway(channel).query(attempt.out_no)
    except (GatewayUnreachable, GatewayRefused) as error:
        _note(channel, answered=isinstance(error, GatewayRefused))
        log.info("gateway not asked", extra={"order": str(order_no), "channel": channel.pk, "reason": error.code})
        with scoped(scope) as session:
            records.asked(session, attempt)
        return PayState.UNKNOWN
    _note(channel, answered=True)
    if told.state is PayState.PAID and told.out_no == attempt.out_no:
        verdict = facts.apply_payment_fact(facts.fact_of(channel, told, Source.QUERY), channels.actor_of(channel))
        if verdict.taken:
            return PayState.PAID if verdict is not Verdict.WRONG_AMOUNT else PayState.CLOSED
        told = replace(told, state=PayState.UNKNOWN)
    with scoped(scope) as session:
        records.asked(session, attempt, closed=told.state in (PayState.CLOSED, PayState.REFUNDED))
        if told.state is PayState.REFUNDED:
            note_paid_back(session, attempt)
    return told.state


def _note(channel: PaymentChannel, *, answered: bool) -> None:
    if answered:
        silent.pop(channel.pk, None)
    else:
        silent[channel.pk] = monotonic() + QUIET


def last_look(order_no: int) -> bool:
    """Asks once more about every open attempt, before the order is cancelled for want of payment: True if it is paid now.

    A gateway that cannot be reached does not hold the order back: what it tells later is a late payment.
    """
    with scoped(records.system_scope(order_no)) as session:
        waiting = [one.seq for one in records.attempts_of(session, order_no) if one.open]
    return PayState.PAID in [ask(order_no, seq) for seq in waiting]


def overdue() -> list[tuple[int, int]]:
    """(order, seq) of unpaid attempts that should have been asked about and were not: their jobs were lost."""
    names = [channels.MANUAL, channels.BALANCE, ""]
    spoken = list(PaymentChannel.objects.exclude(protocol__in=names).values_list("pk", flat=True))
    if not spoken:
        return []
    floor = number.floor(number.now() - _RECENT)
    with scoped(OPERATOR) as session:
        wanted = {"floor": floor, "marks": list(looks.MARKS), "pace": looks.PACE, "grace": GRACE, "channels": spoken}
        return [(row[0], row[1]) for row in session.rows(_OVERDUE, wanted)]


def note_paid_back(session: Session, attempt: Attempt) -> None:
    """Says on the order, once, that its gateway gave the money back although no refund of ours asked for it."""
    lock(session, attempt.order_no)
    ours = any(one.payment_seq == attempt.seq for one in refunds.refunds_of(session, attempt.order_no))
    if not ours and not session.rows(_OUTSIDE, (attempt.order_no, attempt.home, PAID_BACK)):
        fact = {"channel": attempt.channel_id, "out_no": attempt.out_no}
        events.append(session, attempt.order_no, PAID_BACK, events.system("payments"), fact)
