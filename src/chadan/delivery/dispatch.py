"""Which way an order is delivered: `deliver(order_no)`, the one entrance, which may be called any number of times.

An upstream shop's product is bought there, a product with a supplier at the supplier; both are asked outside this transaction,
in their own rooms. Cards come from stock. What is left waits for staff.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from chadan.delivery import alerts, claims, results, rows
from chadan.orders import number
from chadan.orders.events import system
from chadan.orders.states import DeliveryKind, DeliveryStatus, OrderStatus
from chadan.orders.transitions import Locked, lock, transition
from chadan.platform.errors import NotFound
from chadan.platform.scope import OPERATOR, Scope, Session, scoped

MACHINE = system("delivery")
FROM_STOCK = gettext_noop("delivered from stock")
NO_STOCK = gettext_noop("There are not enough cards in stock.")
PARTLY = gettext_noop("Some cards are delivered; the rest waits for stock.")
BY_HAND = gettext_noop("Staff has to deliver this.")
LATE = gettext_noop("Paid after it was cancelled, and out of stock: the money goes back.")

_MERCHANT = "select merchant_id from orders where order_no = %s and home = %s"
_FACTS = """
select o.quantity, o.paid_at, o.cancelled_at, o.paid - o.refunded, v.product_id, v.delivery_kind,
       exists (select 1 from order_refunds r where r.order_no = %(order_no)s and r.home = %(home)s and r.status in (0, 1)),
       p.split_delivery, p.sla_minutes, p.low_stock, p.upstream_id is not null,
       exists (select 1 from product_sources s where s.product_id = p.id and s.active),
       (select coalesce(max(c.line), 0) from order_cards c where c.order_no = %(order_no)s and c.home = %(home)s)
from orders o join product_versions v on v.id = o.version_id join products p on p.id = v.product_id
where o.order_no = %(order_no)s and o.home = %(home)s
"""
_OPEN = frozenset({OrderStatus.PAID, OrderStatus.PROCESSING})


@dataclass(frozen=True, slots=True)
class _Facts:
    """What decides the way. Money is fen; `cards` is how many cards the order has already."""

    quantity: int
    paid_at: datetime | None
    cancelled_at: datetime | None
    held: int
    product_id: int
    kind_code: int
    refunding: bool
    split: bool
    sla_minutes: int
    low_stock: int | None
    upstream: bool
    sourced: bool
    cards: int

    @property
    def kind(self) -> DeliveryKind:
        """How the goods reach the buyer."""
        return DeliveryKind.of(self.kind_code)

    @property
    def due_at(self) -> datetime:
        """Past it the order is stuck: the product's SLA, counted from the payment."""
        return (self.paid_at or number.now()) + timedelta(minutes=self.sla_minutes)


def merchant_scope(order_no: int) -> Scope:
    """The scope of the merchant that sold the order. Raises NotFound."""
    home = number.split(order_no).home
    with scoped(OPERATOR, keyed=True) as session:
        found = session.rows(_MERCHANT, (order_no, home))
    if not found:
        raise NotFound("There is no such order.")
    return Scope(merchants=(int(found[0][0]),), homes=(home,))


def deliver(order_no: int) -> None:
    """Delivers a paid order, or says on its delivery row why it waits. Orders in other states are left alone."""
    onward: Callable[[int], Any] | None = None
    low = False
    with transaction.atomic(), scoped(merchant_scope(order_no), keyed=True) as session:
        order = lock(session, order_no)
        if order.status not in _OPEN:
            return
        facts = _facts(session, order)
        if facts.refunding:
            return
        onward = _elsewhere(facts)
        if onward is None:
            _here(session, order, facts)
            low = facts.kind is DeliveryKind.CARD and bool(facts.low_stock)
    if onward is not None:
        onward(order_no)
    elif low:
        alerts.check(facts.product_id)


def _facts(session: Session, order: Locked) -> _Facts:
    return _Facts(*session.rows(_FACTS, {"order_no": order.order_no, "home": order.home})[0])


def _elsewhere(facts: _Facts) -> Callable[[int], Any] | None:
    """Who buys the product elsewhere; None when it is delivered from here."""
    if facts.upstream:
        from chadan.delivery import reselling

        return reselling.start
    if facts.sourced:
        from chadan.delivery import procurement

        return procurement.start
    return None


def _here(session: Session, order: Locked, facts: _Facts) -> None:
    if facts.kind is DeliveryKind.CARD:
        _from_stock(session, order, facts)
    elif order.status is OrderStatus.PAID:
        to = OrderStatus.PROCESSING
        transition(session, order.order_no, to, actor=MACHINE, reason=BY_HAND, cause="delivery:by hand", locked=order)
        rows.wait(session, order.order_no, kind=facts.kind, reason=BY_HAND, due_at=facts.due_at)


def _from_stock(session: Session, order: Locked, facts: _Facts) -> None:
    cards = facts.cards + claims.claim(
        *(session, order.order_no, facts.product_id, facts.quantity),
        merchant_id=order.merchant_id,
        have=facts.cards,
        split=facts.split,
    )
    if cards >= facts.quantity:
        cause = f"stock:{number.text(order.order_no)}"
        results.settle(*(session, order, facts.kind), actor=MACHINE, reason=FROM_STOCK, cause=cause, cards=cards)
        return
    if facts.cancelled_at is not None and not cards:
        _give_back(session, order, facts)
        return
    if cards > facts.cards and order.status is OrderStatus.PAID:
        cause = f"stock:{number.text(order.order_no)}:part"
        to = OrderStatus.PROCESSING
        transition(session, order.order_no, to, actor=MACHINE, reason=PARTLY, cause=cause, locked=order)
    reason = PARTLY if cards else NO_STOCK
    rows.wait(session, order.order_no, kind=facts.kind, reason=reason, due_at=facts.due_at)


def _give_back(session: Session, order: Locked, facts: _Facts) -> None:
    """A late payment that stock cannot serve: the refund queue has it, once."""
    from chadan.payments import refunds

    before = rows.newest(session, order.order_no)
    if before is not None and before[0] is DeliveryStatus.FAILED:
        return
    rows.close(session, order.order_no, DeliveryStatus.FAILED, kind=facts.kind, reason=LATE)
    refunds.request(session, order.order_no, facts.held, LATE, MACHINE)
