"""Ground of the machine that drives everything: one shop, its people, a gateway that says what it is told, and its own queue runner."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.support.paying import BANK, wanted
from tests.support.people import acting
from tests.support.stock_ground import CardShop, make_card_shop, make_product, rows

from chadan.catalog.models import Product
from chadan.orders.states import DeliveryKind, OrderStatus
from chadan.orders.transitions import ALLOWED
from chadan.payments import channels
from chadan.platform.scope import Scope, scoped

PRICE = 1000
CHANNELS = ("paper", "doubted", "manual", "balance")
_TOTALS = """
select o.order_no, o.status, o.amount, o.paid, o.refunded, o.quantity, o.event_seq,
       coalesce((select sum(amount) from order_payments p where p.order_no = o.order_no and p.status in (1, 3)), 0)::bigint,
       coalesce((select sum(amount) from order_refunds r where r.order_no = o.order_no and r.status = 2), 0)::bigint,
       coalesce((select sum(amount) from order_refunds r where r.order_no = o.order_no and r.status in (0, 1, 3)), 0)::bigint,
       (select count(*) from order_cards c where c.order_no = o.order_no),
       (select count(distinct c.blind) from order_cards c where c.order_no = o.order_no), v.delivery_kind
from orders o join product_versions v on v.id = o.version_id where o.merchant_id = %s order by o.order_no
"""
_EVENTS = """
select order_no, order_seq, type, biz from order_events where merchant_id = %s order by order_no, order_seq
"""
_CARDS = "select count(*), count(distinct blind), count(distinct card_id) from order_cards where merchant_id = %s"
_SOLD = """
select count(*) from stock_cards s where s.merchant_id = %s and s.state = 1 and not exists (
    select 1 from order_cards c where c.order_no = s.order_no and c.line = s.line and c.card_id = s.card_id)
"""
_JOBS = """
select id, task_name, args from procrastinate_jobs
where status = 'todo' and (args ->> 'order_no')::bigint = any(%s) order by id
"""


@dataclass
class Whole:
    """The shop and what the tests know of it beside the database."""

    cards: CardShop
    topup: Product
    channels: dict[str, Any]
    orders: list[int] = field(default_factory=list)
    money_at_gateway: dict[str, Any] = field(default_factory=dict)
    """What really was paid, by the gateway's transaction."""
    looks: int = 0
    """The books are read at every fourth look, and at the end."""

    @property
    def scope(self) -> Scope:
        return self.cards.scope

    def buy(self, kind: str, quantity: int) -> int:
        """A new order, unpaid."""
        product = self.cards.product if kind == "card" else self.topup
        order_no = self.cards.order(quantity, product=product, paid=False)
        self.orders.append(order_no)
        return order_no

    def attempts(self, order_no: int) -> list[Any]:
        from chadan.payments.records import attempts_of

        with scoped(self.scope) as session:
            return attempts_of(session, order_no)

    def refunds(self, order_no: int) -> list[Any]:
        from chadan.payments.refunds import refunds_of

        with scoped(self.scope) as session:
            return refunds_of(session, order_no)

    def jobs(self) -> list[tuple[int, str, dict[str, Any]]]:
        """What waits in the queue about this shop's orders, due or not."""
        found = rows(_JOBS, self.orders)
        return [(row[0], row[1], row[2] if isinstance(row[2], dict) else json.loads(row[2])) for row in found]

    def run(self, job: tuple[int, str, dict[str, Any]], *, times: int = 1) -> None:
        """What a worker does with a job: `times` 2 when the first one died before it could say that it was done."""
        from procrastinate.contrib.django import app

        number, name, args = job
        task = app.tasks[name]
        given = [SimpleNamespace(job=SimpleNamespace(attempts=0))] if task.pass_context else []
        for _time in range(times):
            task.func(*given, **args)
        rows("delete from procrastinate_jobs where id = %s returning id", number)

    def wrong(self) -> list[str]:
        """What is wrong now, in sentences."""
        return [*self._totals(), *self._histories(), *self._stock()]

    def _totals(self) -> Iterable[str]:
        from chadan.money.checks import check

        for no, status, amount, paid, refunded, quantity, _seq, payments, back, queued, cards, distinct, kind in rows(
            _TOTALS, self.cards.merchant.pk
        ):
            state = OrderStatus.of(status)
            if (paid, refunded) != (payments, back):
                yield f"{no}: paid {paid} of {payments}, refunded {refunded} of {back}"
            if refunded + queued > paid:
                yield f"{no}: {refunded} went back and {queued} is to, of {paid}"
            if (cards > quantity and kind == DeliveryKind.CARD.code) or cards != distinct:
                yield f"{no}: {cards} cards ({distinct} different) for {quantity}"
            if state in (OrderStatus.DELIVERED, OrderStatus.COMPLETED) and paid < amount:
                yield f"{no}: delivered, and {paid} of {amount} is paid"
            kept = paid - refunded - queued
            if kept and state in (OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED, OrderStatus.REFUNDED):
                yield f"{no}: {state}, and {kept} is nobody's"
        self.looks += 1
        if self.looks % 4 == 0:
            with scoped(self.scope) as session:
                yield from check(session)

    def _histories(self) -> Iterable[str]:
        last: dict[int, int] = {}
        status: dict[int, OrderStatus] = {}
        before: dict[int, OrderStatus] = {}
        for no, seq, kind, biz in rows(_EVENTS, self.cards.merchant.pk):
            if seq != last.get(no, 0) + 1:
                yield f"{no}: event {seq} follows {last.get(no, 0)}"
            last[no] = seq
            if not kind.startswith("order.") or kind in ("order.placed", "order.escalated"):
                status.setdefault(no, OrderStatus.PENDING_PAYMENT)
                continue
            said = biz if isinstance(biz, dict) else json.loads(biz)
            old, new = status[no], OrderStatus(kind.removeprefix("order."))
            if said["before"] != old or (new not in ALLOWED[old] and before.get(no) is not new):
                yield f"{no}: from {old} (said {said['before']}) to {new}"
            if new is OrderStatus.AFTER_SALE:
                before[no] = old
            status[no] = new
        for no, code, *_rest, seq in rows(
            "select order_no, status, event_seq from orders where merchant_id = %s", self.cards.merchant.pk
        ):
            if (last[no], status[no]) != (seq, OrderStatus.of(code)):
                yield f"{no}: its row says {OrderStatus.of(code)} after {seq} events, they say {status[no]} after {last[no]}"

    def _stock(self) -> Iterable[str]:
        total, texts, ids = rows(_CARDS, self.cards.merchant.pk)[0]
        if not total == texts == ids:
            yield f"{total} cards delivered, {texts} different"
        if lost := rows(_SOLD, self.cards.merchant.pk)[0][0]:
            yield f"{lost} cards are sold and in no order"


def open_whole() -> Whole:
    """A shop whose channels are open, and an honest gateway."""
    BANK.__init__()  # type: ignore[misc]  # the gateway forgets the run before
    shop = make_card_shop()
    topup = make_product(shop.merchant, DeliveryKind.TOPUP, title="话费 10 元")
    made = {}
    for protocol in CHANNELS:
        one = channels.create(shop.owner, protocol, wanted(protocol))
        made[protocol] = channels.enable(shop.owner, one.pk)
    return Whole(shop, topup, made)


def buyer_of(whole: Whole) -> tuple[Any, Scope]:
    """The buyer's actor and scope."""
    buyer = whole.cards.buyer
    return acting(buyer.user), Scope(buyer=buyer.pk)
