"""Buying an order's goods from suppliers, each purchase once.

A purchase has two short transactions and a call between them: the first writes our request number, the second what was answered.
What may have been sent is only ever recovered (suppliers.base): never sent anew under another number, never forgotten, because the
job that asks again is deferred with the number. A definite no goes to the next supplier; what nobody can find out waits for staff.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop as N_  # noqa: N812 - the name gettext tools look for

from chadan.catalog.models import Product, ProductSource, Supplier
from chadan.delivery import connections, costs, results, rows, supplier_rows
from chadan.delivery.dispatch import merchant_scope
from chadan.delivery.supplier_rows import Facts, Row
from chadan.delivery.suppliers.base import (
    OutcomeUnknown,
    Purchase,
    Supplied,
    SupplierRefused,
    SupplierUnreachable,
    SupplyState,
)
from chadan.delivery.suppliers.calling import unreadable
from chadan.delivery.suppliers.registry import PROTOCOLS
from chadan.orders import events, number, outside
from chadan.orders.events import system
from chadan.orders.states import DeliveryKind, DeliveryStatus, OrderStatus, RefKind
from chadan.orders.transitions import Locked, lock, transition
from chadan.platform import jobs
from chadan.platform.errors import ChadanError
from chadan.platform.scope import Session, scoped

log = logging.getLogger(__name__)
MACHINE = system("suppliers")
PAUSES = (20, 30, 60, 120, 300, 600, 900)
"""Seconds until a purchase under way is asked about: after its first, second, … call."""
GRACE = timedelta(seconds=17)
"""A call younger than this may still be under way in another process: one begins within FRESH and ends 10 s later."""
FRESH = 5.0
"""Seconds from taking a call to making it. A process that was held up longer leaves it to the next one."""
PATIENCE = timedelta(hours=24)
"""So long a supplier may stay silent about a purchase; then staff is asked."""
SLOW = timedelta(days=3)
"""So long a supplier may work at one."""

ORDERED = N_("Ordered from the supplier.")
NOBODY = N_("The goods could not be delivered.")
"""What the buyer reads; the suppliers' own words stand on the delivery rows, for staff."""
NO_SOURCE = N_("No active supplier sells this product.")
ALL_DOWN = N_("The suppliers do not answer; the purchase is tried again.")
SILENT = N_("The supplier has not told what became of the purchase. Look at its own pages.")
NOT_CARDS = N_("The supplier's answer does not look like the cards that were bought. Look at its own pages.")
TAKEN = N_("The supplier named a number that belongs to another order. Look at its own pages.")
TOO_LATE = N_("The goods came when the order no longer waited for them.")

_OPEN = frozenset({OrderStatus.PAID, OrderStatus.PROCESSING})
_APOLOGY = re.compile("抱歉|对不起|抢走|联系客服|联系店主|卡密不足|库存不足|缺货|充值失败|sorry", re.IGNORECASE)
"""What an oversold shop writes where the goods would be, and calls it delivered."""


class Question(Enum):
    """What a supplier is asked: to buy, what became of a purchase it may have heard of, how one of its own stands."""

    BUY = auto()
    RECOVER = auto()
    LOOK = auto()


def start(order_no: int) -> None:
    """Buys a paid order's goods, unless a purchase is under way. Called outside a transaction; any number of times."""
    _outside_transaction()
    since = time.monotonic()
    with scoped(merchant_scope(order_no)) as session:
        order = lock(session, order_no)
        if order.status not in _OPEN or any(row.open for row in supplier_rows.of(session, order_no)):
            return
        row = _next(session, order, after=None)
    _ask(row, Question.BUY, since)


def follow(order_no: int, seq: int) -> None:
    """Asks what became of a purchase under way, and comes back with growing pauses until it is known."""
    _outside_transaction()
    since = time.monotonic()
    with scoped(merchant_scope(order_no)) as session:
        order = lock(session, order_no)
        row = supplier_rows.one(session, order_no, seq)
        if row is None or row.status is not DeliveryStatus.SENDING:
            return
        if order.status not in _OPEN and not row.supplier_no:  # to recover is to buy, if it was never heard of
            return
        follow_later(row)
        if order.status is OrderStatus.AFTER_SALE or not supplier_rows.take(session, row, GRACE):
            return
    _ask(row, Question.LOOK if row.supplier_no else Question.RECOVER, since)


def follow_later(row: Row) -> None:
    """Defers the next question about a purchase, in the transaction under way."""
    pause = PAUSES[min(row.attempts, len(PAUSES)) - 1]
    jobs.job("delivery.follow", schedule_in={"seconds": pause}).defer(order_no=row.order_no, seq=row.seq)


def heed(session: Session, row: Row, told: Supplied, actor: Mapping[str, Any], *, trusted: bool = False) -> None:
    """Writes what a supplier said of a purchase, by answer or callback, in the caller's transaction, the order locked.

    The supplier's number is claimed: one that another order has is not believed. Goods that do not look like what was bought
    wait for staff unless `trusted` (somebody has looked); while a case is open they wait for its end. A purchase that has ended
    changes nothing.
    """
    order = lock(session, row.order_no)
    now = supplier_rows.one(session, row.order_no, row.seq)
    if now is None or not now.open or now.supplier_id is None:
        return
    claimed = not told.supplier_no or outside.belongs(
        session, RefKind.SUPPLIER, now.supplier_id, told.supplier_no, row.order_no
    )
    if not claimed or (now.supplier_no and told.supplier_no not in ("", now.supplier_no)):
        park(session, now, TAKEN)
    elif told.state is SupplyState.DELIVERED and order.status is not OrderStatus.AFTER_SALE:
        _delivered(session, order, now, told, actor, trusted=trusted)
    elif told.state is SupplyState.FAILED:
        give_up(session, order, now, told.reason, actor)
    else:
        supplier_rows.keep(session, now, now.status, supplier_no=told.supplier_no, cost=told.cost, reason=now.reason)
        if number.now() - now.created_at > SLOW:
            park(session, now, SILENT)


def give_up(session: Session, order: Locked, row: Row, words: str, actor: Mapping[str, Any]) -> None:
    """Nothing was bought, somebody says: a job asks the next supplier, or the order fails. The caller has locked the order."""
    following = _refused(session, order, row, words, actor)
    if following is not None:
        jobs.job("delivery.first_call").defer(order_no=following.order_no, seq=following.seq)


def first_call(order_no: int, seq: int) -> None:
    """Makes the first call of a purchase that was written inside somebody else's transaction. A repeat leaves it to `follow`."""
    _outside_transaction()
    since = time.monotonic()
    with scoped(merchant_scope(order_no)) as session:
        lock(session, order_no)
        row = supplier_rows.one(session, order_no, seq)
        if row is None or not row.open or row.attempts != 1 or row.supplier_no:
            return
        if not supplier_rows.take(session, row, timedelta(0)):
            return
    _ask(row, Question.BUY, since)


def park(session: Session, row: Row, reason: str, supplier_no: str = "") -> None:
    """Leaves a purchase to staff: nothing is bought and nothing fails until somebody says what happened."""
    supplier_rows.keep(session, row, DeliveryStatus.WAITING, reason=reason, supplier_no=supplier_no)
    events.append(session, row.order_no, "supply.parked", MACHINE, {"request_no": row.request_no})


def _ask(row: Row | None, question: Question, since: float) -> None:
    """One call to a supplier and, in a transaction of its own, what follows from the answer; then the next supplier.

    `since` is the monotonic moment before the call was taken.
    """
    while row is not None:
        supplier = Supplier.objects.get(pk=row.supplier_id or 0)
        if time.monotonic() - since > FRESH:
            log.warning("supplier call left to the next job", extra={"order_no": number.text(row.order_no)})
            return
        told = _answer(supplier, row, question)
        _note_health(supplier, told)
        since = time.monotonic()
        row, question = _settle(row, told, question), Question.BUY


def _answer(supplier: Supplier, row: Row, question: Question) -> Supplied | ChadanError:
    try:
        api = connections.api_of(supplier)
        if question is Question.LOOK:
            return api.look(row.supplier_no)
        purchase = _purchase(row, supplier)
        return api.buy(purchase) if question is Question.BUY else api.recover(purchase)
    except ChadanError as error:
        return error
    except Exception:  # whatever an answer does to its reader, the purchase may have happened
        log.exception("supplier answer not understood", extra={"supplier": supplier.pk, "order_no": str(row.order_no)})
        return unreadable()


def _settle(row: Row, told: Supplied | ChadanError, question: Question) -> Row | None:
    """The second transaction. Returns the purchase that is to be made next."""
    with scoped(merchant_scope(row.order_no)) as session:
        order = lock(session, row.order_no)
        now = supplier_rows.one(session, row.order_no, row.seq)
        if now is None or not now.open:
            return None
        if isinstance(told, Supplied):
            heed(session, now, told, MACHINE)
        elif isinstance(told, OutcomeUnknown):
            park(session, now, told.message)
        elif _is_no(told, question):
            return _refused(session, order, now, told.message, MACHINE)
        elif number.now() - now.created_at > PATIENCE:
            park(session, now, SILENT)
        else:
            supplier_rows.keep(session, now, now.status, reason=told.message)
    return None


def _is_no(error: ChadanError, question: Question) -> bool:
    """Whether certainly nothing was bought: the supplier said so, or never heard the one question there was."""
    if isinstance(error, SupplierRefused):
        return question is not Question.LOOK
    if isinstance(error, SupplierUnreachable) and error.sent:
        return False
    return question is Question.BUY


def _refused(session: Session, order: Locked, row: Row, words: str, actor: Mapping[str, Any]) -> Row | None:
    """A definite no. Returns the next purchase; the order fails when there is none. The caller has locked the order."""
    events.append(session, row.order_no, "supply.refused", actor, {"request_no": row.request_no})
    if order.status not in _OPEN or supplier_rows.facts(session, order).refunding:
        supplier_rows.keep(session, row, DeliveryStatus.FAILED, reason=words)
        return None
    return _next(session, order, after=row, words=words, actor=actor)


def _next(
    session: Session, order: Locked, *, after: Row | None, words: str = "", actor: Mapping[str, Any] = MACHINE
) -> Row | None:
    """Writes the next purchase: by priority, of the sources that failed less often for this order than the last one.

    `after` is the purchase that just failed with `words`; None begins a new round with every source. With no supplier that
    answers the order waits; with none left it fails.
    """
    facts = supplier_rows.facts(session, order)
    failures = Counter(row.source_id for row in supplier_rows.of(session, order.order_no) if not row.open)
    sources = [
        source
        for source in _sources(facts.product_id)
        if after is None or failures[source.pk] + (source.pk == after.source_id) < failures[after.source_id] + 1
    ]
    ready = [source for source in sources if connections.available(source.supplier)]
    if not sources:
        _fail(session, order, after, words or NO_SOURCE, actor)
        return None
    if after is not None:
        supplier_rows.keep(session, after, DeliveryStatus.FAILED, reason=words)
    due_at = (facts.paid_at or number.now()) + timedelta(minutes=_sla(facts))
    if not ready:
        rows.wait(session, order.order_no, kind=facts.kind, reason=ALL_DOWN, due_at=due_at)
        _again_later(order.order_no)
        return None
    source = ready[0]
    row = supplier_rows.insert(
        session, order, kind=facts.kind, supplier_id=source.supplier_id, source_id=source.pk, due_at=due_at
    )
    events.append(session, order.order_no, "supply.requested", MACHINE, {"request_no": row.request_no})
    if order.status is OrderStatus.PAID:
        cause = f"supplier:{row.request_no}"
        transition(session, order.order_no, OrderStatus.PROCESSING, actor=MACHINE, reason=ORDERED, cause=cause)
    follow_later(row)
    return row


def _sources(product_id: int) -> list[ProductSource]:
    found = ProductSource.objects.filter(
        product_id=product_id, active=True, supplier__active=True, supplier__protocol__in=list(PROTOCOLS)
    )
    return list(found.select_related("supplier").order_by("priority", "pk"))


def _sla(facts: Facts) -> int:
    return Product.objects.values_list("sla_minutes", flat=True).get(pk=facts.product_id)


def _fail(session: Session, order: Locked, row: Row | None, words: str, actor: Mapping[str, Any]) -> None:
    # Without a purchase, the delivery row that is written now tells this failure from one before a retry.
    cause = f"supplier:{row.request_no if row else supplier_rows.next_seq(session, order)}"
    results.failed(session, order.order_no, reason=NOBODY, actor=actor, cause=cause)
    if row is not None:
        supplier_rows.say_why(session, row, words)


def _delivered(
    session: Session, order: Locked, row: Row, told: Supplied, actor: Mapping[str, Any], *, trusted: bool
) -> None:
    facts = supplier_rows.facts(session, order)
    supplier_rows.keep(session, row, row.status, supplier_no=told.supplier_no, cost=told.cost)
    if not trusted and not _looks_right(facts, told):
        park(session, row, NOT_CARDS)
        return
    cost = _cost(row, facts, told)
    _book(session, order, row, cost, actor)
    if order.status is not OrderStatus.PROCESSING:
        supplier_rows.keep(session, row, DeliveryStatus.FAILED, reason=TOO_LATE, cost=cost)
        costs.correct(session, order)
        events.append(session, row.order_no, "supply.too_late", actor, {"request_no": row.request_no})
        return
    cards = told.cards if facts.kind is DeliveryKind.CARD else ()
    cause = f"supplier:{row.request_no}"
    reason = N_("Delivered by the supplier.")
    results.delivered(session, row.order_no, cards=cards, actor=actor, reason=reason, cause=cause, cost=cost)
    costs.correct(session, order)  # an earlier purchase may have come too late, and cost as much


def _looks_right(facts: Facts, told: Supplied) -> bool:
    if any(_APOLOGY.search(card) for card in told.cards):
        return False
    return facts.kind is not DeliveryKind.CARD or len(told.cards) == facts.quantity


def _cost(row: Row, facts: Facts, told: Supplied) -> int:
    """What the supplier charged; what it last asked for when it does not say."""
    if told.cost is not None:
        return told.cost
    source = ProductSource.objects.filter(pk=row.source_id or 0).first()
    return (source.price or 0) * facts.quantity if source else 0


def _book(session: Session, order: Locked, row: Row, cost: int, actor: Mapping[str, Any]) -> None:
    from chadan.money import flows

    if cost > 0 and row.supplier_id is not None:
        cause = f"supplier:{row.request_no}"
        flows.purchase_cost(session, order, supplier_id=row.supplier_id, amount=cost, cause=cause, actor=actor)


def _purchase(row: Row, supplier: Supplier) -> Purchase:
    """What is asked of the supplier: our fields under the names it knows them by (`options.fields`)."""
    with scoped(merchant_scope(row.order_no)) as session:
        facts = supplier_rows.facts(session, lock(session, row.order_no))
    source = ProductSource.objects.get(pk=row.source_id or 0)
    options = dict(source.options)
    names = options.get("fields") or {}
    fields = {str(names.get(name, name)): str(value) for name, value in json.loads(facts.fields).items() if value}
    if facts.account and facts.account not in fields.values():
        fields[str(names.get("account", "account"))] = facts.account
    api = PROTOCOLS[supplier.protocol]
    return Purchase(
        request_no=row.request_no[: api.most_request_no],
        ref=source.ref,
        options=options,
        quantity=facts.quantity,
        account=facts.account,
        fields=fields,
        callback_url=connections.callback_url(supplier) if api.calls_back else "",
    )


def _note_health(supplier: Supplier, told: Supplied | ChadanError) -> None:
    if isinstance(told, Supplied):
        connections.succeeded(supplier.pk)
    elif isinstance(told, SupplierRefused | OutcomeUnknown):
        connections.complained(supplier.pk, told.message)
    else:
        connections.failed(supplier.pk, told.message)
    if isinstance(told, ChadanError):
        log.info("supplier call failed", extra={"supplier": supplier.pk, "reason": told.code})


def _again_later(order_no: int) -> None:
    pause = int(connections.COOLING.total_seconds()) + 5
    jobs.job("delivery.deliver", schedule_in={"seconds": pause}).defer(order_no=order_no)


def _outside_transaction() -> None:
    if connection.in_atomic_block:
        raise RuntimeError("suppliers are called outside transactions")
