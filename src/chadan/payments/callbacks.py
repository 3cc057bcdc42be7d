"""What gateways tell us by themselves: kept first, then judged, then answered exactly as the gateway wants to hear it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import cache

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from chadan.accounts.client_ip import client_ip
from chadan.catalog.models import PaymentChannel
from chadan.orders import number, outside
from chadan.orders.states import PaymentStatus, RefKind
from chadan.orders.transitions import lock
from chadan.payments import channels, facts, healing, records
from chadan.payments.facts import Source, Verdict
from chadan.payments.gateways.base import (
    Answer,
    ForgedCallback,
    Gateway,
    GatewayRefused,
    GatewayUnreachable,
    PayState,
    RawCallback,
    Told,
)
from chadan.payments.models import PaymentCallback
from chadan.payments.records import HAND, Attempt
from chadan.platform import jobs
from chadan.platform.errors import NotFound
from chadan.platform.scope import Scope, scoped

log = logging.getLogger(__name__)
MOST_BYTES = 1 << 20
FORGED_KEPT = 4096
QUERY_SECONDS = 2.5
"""How long an answer may wait for a query: gateways give up on an answer after 3 to 5 seconds."""
_KEPT_HEADERS = ("content-type", "user-agent")
FORGED, NOT_PAID, HELD, UNCONFIRMED = "bad_signature", "not_paid", "held", "unconfirmed"
"""Verdicts on callbacks besides those on facts: signed wrongly; not about money that came; the gateway itself says unpaid;
the gateway could not be asked in time."""
REFUSED = (FORGED, HELD, *(one.value for one in Verdict if not one.taken), Verdict.WRONG_AMOUNT.value)
"""Verdicts somebody should look at."""


@csrf_exempt
@require_http_methods(["GET", "POST"])
def notify(request: HttpRequest, channel_id: int) -> HttpResponse:
    """Takes a callback: stored and committed before it is judged. A repeat of what is known is answered like the first."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return HttpResponse("too large", status=413, content_type="text/plain")
    channel = PaymentChannel.objects.filter(pk=channel_id).first()
    if channel is None or not channels.is_gateway(channel):
        return HttpResponse("no such channel", status=404, content_type="text/plain")
    raw = _raw(request)
    kept = _keep(request, channel, raw)
    gateway = channels.gateway(channel)
    try:
        told = gateway.read_callback(raw)
    except ForgedCallback as forged:
        _judge(channel, kept, FORGED, None, str(forged))
        return _reply(gateway.answer(taken=False))
    if told.state is not PayState.PAID:
        _judge(channel, kept, NOT_PAID, _note(channel, told), told.state.value)
        return _reply(gateway.answer(taken=True))
    verdict, order_no, taken = _heed(channel, gateway, told)
    _judge(channel, kept, verdict, order_no, told.out_no)
    return _reply(gateway.answer(taken=taken))


def _heed(channel: PaymentChannel, gateway: Gateway, told: Told) -> tuple[str, int | None, bool]:
    """(verdict, order, whether it is on record). A callback that does not fit never moves money: the gateway is asked."""
    actor, fact = channels.actor_of(channel), facts.fact_of(channel, told, Source.CALLBACK)
    attempt = _attempt_of(channel, told.out_no)
    if attempt is None:
        verdict = facts.apply_payment_fact(fact, actor)
        return verdict, None, verdict.taken
    misfit = facts.misfit_of(channel, attempt, fact)
    if misfit is not None:
        with scoped(_scope(channel)) as session:
            lock(session, attempt.order_no)
            facts.alert(session, attempt.order_no, misfit, attempt, fact, actor)
            _ask_later(attempt)
        return misfit, attempt.order_no, False
    if gateway.confirms_by_query or attempt.status is PaymentStatus.FAILED or _contradicts(attempt, told):
        said = _confirmed(gateway, told)
        if said is None or said.state is not PayState.PAID:
            with transaction.atomic():
                _ask_later(attempt)
            return UNCONFIRMED if said is None else HELD, attempt.order_no, False
        fact = facts.fact_of(channel, said, Source.QUERY)
    verdict = facts.apply_payment_fact(fact, actor)
    return verdict, attempt.order_no, verdict.taken


def _note(channel: PaymentChannel, told: Told) -> int | None:
    """Heeds that a payment was closed or went back: "paid" that is told after it is asked about before it is believed."""
    attempt = _attempt_of(channel, told.out_no)
    if attempt is None:
        return None
    if told.state in (PayState.CLOSED, PayState.REFUNDED):
        with scoped(_scope(channel)) as session:
            lock(session, attempt.order_no)
            if attempt.open:
                records.asked(session, attempt, closed=True)
                _ask_later(attempt)
            elif told.state is PayState.REFUNDED:
                healing.note_paid_back(session, attempt)
    return attempt.order_no


def _contradicts(attempt: Attempt, told: Told) -> bool:
    """Whether our number is paid already, by another transaction of the gateway's."""
    known = attempt.txn_no
    return attempt.status is PaymentStatus.SUCCESS and known != told.txn_no and not known.startswith(HAND)


def _confirmed(gateway: Gateway, told: Told) -> Told | None:
    """What the gateway says when it is asked, within the answer's deadline; None when it does not say."""
    asked = _askers().submit(gateway.query, told.out_no)
    try:
        said = asked.result(QUERY_SECONDS)
    except (TooLate, GatewayUnreachable, GatewayRefused) as error:
        log.info("callback not confirmed", extra={"out_no": told.out_no, "reason": type(error).__name__})
        return None
    return said if said.out_no == told.out_no else None


@cache
def _askers() -> ThreadPoolExecutor:
    """Threads that hold no connection: a gateway that hangs costs callbacks their confirmation, not their answer."""
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="confirm")


def _ask_later(attempt: Attempt) -> None:
    jobs.job("payments.heal", schedule_in={"seconds": 5}).defer(order_no=attempt.order_no, seq=attempt.seq)


def _attempt_of(channel: PaymentChannel, out_no: str) -> Attempt | None:
    with scoped(_scope(channel)) as session:
        order_no = outside.holder(session, channel.home, RefKind.PAYMENT_OUT, channel.pk, out_no)
        try:
            return None if order_no is None else records.by_out_no(session, order_no, out_no)
        except NotFound:
            return None


def _scope(channel: PaymentChannel) -> Scope:
    return Scope(merchants=(channel.merchant_id,), homes=(channel.home,))


def _raw(request: HttpRequest) -> RawCallback:
    return RawCallback(
        method=request.method or "GET",
        query=request.META.get("QUERY_STRING", ""),
        body=request.body,
        headers={name.lower(): value for name, value in request.headers.items()},
        received_at=number.now(),
    )


def _keep(request: HttpRequest, channel: PaymentChannel, raw: RawCallback) -> PaymentCallback:
    kept = {name: text for name, text in raw.headers.items() if name in _KEPT_HEADERS or name.startswith("wechatpay-")}
    with scoped(_scope(channel)) as session:
        session.enter()
        return PaymentCallback.objects.create(
            channel_id=channel.pk,
            home=channel.home,
            remote=str(client_ip(request.META) or ""),
            method=raw.method,
            headers={name: _text(value) for name, value in kept.items()},
            query=_text(raw.query),
            body=_text(raw.body.decode("utf-8", "replace")),
        )


def _judge(channel: PaymentChannel, kept: PaymentCallback, verdict: str, order_no: int | None, detail: str) -> None:
    kept.verdict, kept.order_no, kept.detail = str(verdict), order_no, _text(detail)[:300]
    if verdict == FORGED:  # anybody may send these: enough to look into is enough to keep
        kept.query, kept.body = kept.query[:FORGED_KEPT], kept.body[:FORGED_KEPT]
    with scoped(_scope(channel)) as session:
        session.enter()
        kept.save(update_fields=["verdict", "order_no", "detail", "query", "body"])
    log.info("callback", extra={"channel": kept.channel_id, "verdict": kept.verdict, "callback": kept.pk})


def _text(value: str) -> str:
    """What PostgreSQL can keep."""
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _reply(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
