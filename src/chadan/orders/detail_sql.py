"""The SQL of one order's detail: eight keyed statements sent in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from chadan.orders import number
from chadan.orders.states import Category, DeliveryKind, DeliveryStatus, Escrow, OrderStatus, PaymentMethod
from chadan.platform.scope import Scope
from chadan.search.scope_sql import Sql, any_of, scope_predicate


class OrderFacts(NamedTuple):
    """The order row with the names behind its ids. Money is fen; codes are words through the properties."""

    order_no: int
    merchant_id: int
    merchant: str
    buyer_id: int
    buyer_login: str
    buyer_name: str
    agent_id: int | None
    agent: str | None
    parent_order_no: int | None
    title: str
    brand: str
    category_title: str
    variant: str
    delivery_kind_code: int
    category_code: int
    face_value: int | None
    quantity: int
    status_code: int
    status_before_code: int | None
    has_after_sale: bool
    amount: int
    paid: int
    refunded: int
    cost: int
    fee: int
    currency: str
    payment_method_code: int | None
    platform: str
    supplier: str | None
    escrow_code: int
    escrow_until: datetime | None
    account: str
    source_order_no: str | None
    paid_at: datetime | None
    delivered_at: datetime | None
    completed_at: datetime | None
    refunded_at: datetime | None
    cancelled_at: datetime | None
    updated_at: datetime

    @property
    def number(self) -> str:
        """The order number as shown: 19 digits."""
        return number.text(self.order_no)

    @property
    def placed_at(self) -> datetime:
        """When the order was placed."""
        return number.placed_at(self.order_no)

    @property
    def status(self) -> OrderStatus:
        """Where the order stands."""
        return OrderStatus.of(self.status_code)

    @property
    def category(self) -> Category:
        """What kind of goods."""
        return Category.of(self.category_code)

    @property
    def delivery_kind(self) -> DeliveryKind:
        """How the goods reach the buyer."""
        return DeliveryKind.of(self.delivery_kind_code)

    @property
    def payment_method(self) -> PaymentMethod | None:
        """How it was paid."""
        return None if self.payment_method_code is None else PaymentMethod.of(self.payment_method_code)

    @property
    def escrow(self) -> Escrow:
        """Where the buyer's money is."""
        return Escrow.of(self.escrow_code)

    def without_cost(self) -> OrderFacts:
        """For roles that may not see what the merchant pays."""
        return self._replace(cost=0, fee=0)

    def without_supplier(self) -> OrderFacts:
        """For roles that may not see where the goods come from."""
        return self._replace(supplier=None)


class PaymentRow(NamedTuple):
    """One payment; `payee` is who received it."""

    seq: int
    method_code: int
    status_code: int
    amount: int
    currency: str
    out_no: str
    txn_no: str
    created_at: datetime
    paid_at: datetime | None
    channel: str | None
    payee: str | None

    @property
    def method(self) -> PaymentMethod:
        """How it was paid."""
        return PaymentMethod.of(self.method_code)

    @property
    def by_hand(self) -> bool:
        """Whether somebody confirmed it without naming the gateway's number (payments.records.HAND)."""
        return self.txn_no.startswith("hand:")


class DeliveryRow(NamedTuple):
    """One delivery."""

    seq: int
    kind_code: int
    status_code: int
    supplier: str | None
    supplier_no: str
    reason: str
    created_at: datetime
    delivered_at: datetime | None

    @property
    def kind(self) -> DeliveryKind:
        """How."""
        return DeliveryKind.of(self.kind_code)

    @property
    def status(self) -> DeliveryStatus:
        """Where it stands."""
        return DeliveryStatus.of(self.status_code)

    def without_supplier(self) -> DeliveryRow:
        """For buyers and agents."""
        return self._replace(supplier=None, supplier_no="", reason="" if self.supplier else self.reason)


class CardRow(NamedTuple):
    """One delivered card, still sealed."""

    line: int
    hint: str


class NoteRow(NamedTuple):
    """One note."""

    seq: int
    author: str
    internal: bool
    body: str
    created_at: datetime


class TagRow(NamedTuple):
    """One tag on the order."""

    id: int
    name: str
    colour: str


class EventRow(NamedTuple):
    """One event; `actor` and `biz` are JSON text."""

    order_seq: int
    at: datetime
    type: str
    actor: str
    biz: str


class RelatedRow(NamedTuple):
    """The purchase behind an agent's sale, or the sale behind a purchase."""

    order_no: int
    merchant: str
    status_code: int
    is_parent: bool

    @property
    def status(self) -> OrderStatus:
        """Where it stands."""
        return OrderStatus.of(self.status_code)


_ORDER = """
select o.order_no, o.merchant_id, m.name, o.buyer_id, b.login, b.name, o.agent_id, a.name, o.parent_order_no,
       v.title, v.brand, v.category_title, v.variant, v.delivery_kind, o.category, o.face_value, o.quantity, o.status,
       o.status_before, o.has_after_sale, o.amount, o.paid, o.refunded, o.cost, o.fee, o.currency, o.payment_method,
       o.platform, s.name, o.escrow, o.escrow_until, o.account, o.source_order_no, o.paid_at, o.delivered_at,
       o.completed_at, o.refunded_at, o.cancelled_at, o.updated_at
from orders o
join product_versions v on v.id = o.version_id
join merchants m on m.id = o.merchant_id
join buyers b on b.id = o.buyer_id
left join merchants a on a.id = o.agent_id
left join suppliers s on s.id = o.supplier_id
where o.order_no = %s and o.home = %s and {scope}
"""
_PAYMENTS = """
select p.seq, p.method, p.status, p.amount, p.currency, p.out_no, p.txn_no, p.created_at, p.paid_at, c.name, c.payee
from order_payments p left join payment_channels c on c.id = p.channel_id
where p.order_no = %s and p.home = %s order by p.seq
"""
_DELIVERIES = """
select d.seq, d.kind, d.status, s.name, d.supplier_no, d.reason, d.created_at, d.delivered_at
from order_deliveries d left join suppliers s on s.id = d.supplier_id
where d.order_no = %s and d.home = %s order by d.seq
"""
_CARDS = "select line, hint from order_cards where order_no = %s and home = %s order by line"
_NOTES = """
select seq, author, internal, body, created_at from order_notes where order_no = %s and home = %s order by seq
"""
_TAGS = """
select t.id, t.name, t.colour from order_tags x join tags t on t.id = x.tag_id
where x.order_no = %s and x.home = %s order by t.name
"""
_EVENTS = """
select order_seq, at, type, actor, biz from order_events where order_no = %s and home = %s order by order_seq
"""
# An agent's sale and its purchase name each other by the purchase's parent_order_no; the purchase is placed at or after
# the sale, so its number is looked for from there on, among the agent's own purchases.
_PURCHASES = """
select o.order_no, m.name, o.status, false
from orders o join merchants m on m.id = o.merchant_id
where o.parent_order_no = %(order_no)s and o.order_no >= %(first)s and o.order_no < %(first)s + %(day)s
  and o.agent_id = (select sale.merchant_id from orders sale where sale.order_no = %(order_no)s and sale.home = %(home)s)
"""
# By the number itself: a join would be planned over every month.
_SALE = """
select o.order_no, m.name, o.status, true from orders o join merchants m on m.id = o.merchant_id
where o.order_no = %s and o.home = %s
"""
_DAY = 10**13


def may_see(scope: Scope) -> Sql:
    """Whether a scope sees the order `o` that was looked up by number: as its merchant, buyer, or reselling agent."""
    if scope.merchants:
        return any_of((scope_predicate(scope), scope_predicate(scope, "purchases")))
    return scope_predicate(scope)


def statements(order_no: int, scope: Scope) -> list[tuple[str, Any]]:
    """The eight statements: order, payments, deliveries, cards, notes, tags, events, the purchases behind it.

    Children carry no predicate of their own: row-level security shows them only with their order, and the caller
    drops everything when the first statement is empty.
    """
    key = (order_no, number.split(order_no).home)
    predicate = may_see(scope)
    children: Sequence[str] = (_PAYMENTS, _DELIVERIES, _CARDS, _NOTES, _TAGS, _EVENTS)
    related = {"order_no": order_no, "home": key[1], "first": order_no // 10**8 * 10**8, "day": _DAY}
    return [
        (_ORDER.format(scope=predicate.text), (*key, *predicate.params)),
        *((statement, key) for statement in children),
        (_PURCHASES, related),
    ]


def sale_statement(parent_order_no: int) -> tuple[str, Any]:
    """The agent's sale behind a purchase, as far as it may be seen."""
    return _SALE, (parent_order_no, number.split(parent_order_no).home)
