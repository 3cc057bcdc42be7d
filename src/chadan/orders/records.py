"""One order with everything it owns, as bulk loads hand it over: seeds and imports end here.

Moments are whole seconds since 1970 (UTC), money is integer fen, words are the codes of `orders.states`.
"""

from __future__ import annotations

from typing import NamedTuple

from chadan.orders.vault import Sealed


class PaymentFact(NamedTuple):
    """One attempt to pay."""

    channel_id: int | None
    method: int
    status: int
    amount: int
    out_no: str
    txn_no: str
    created_at: int
    paid_at: int | None


class DeliveryFact(NamedTuple):
    """One attempt to deliver; `reason` says why it failed."""

    kind: int
    status: int
    supplier_id: int | None
    supplier_no: str
    reason: str
    created_at: int
    delivered_at: int | None


class CardFact(NamedTuple):
    """One delivered card, already encrypted; `card_id` is a UUID's text."""

    card_id: str
    sealed: Sealed


class NoteFact(NamedTuple):
    """One note; an internal one is the shop's own."""

    author_id: int | None
    author: str
    internal: bool
    body: str
    created_at: int


class RefFact(NamedTuple):
    """An outside number of the order: `kind` is RefKind's code, `scope_id` the channel, supplier or source it is unique in."""

    kind: int
    scope_id: int
    ref: str


class OrderRecord(NamedTuple):
    """One order. `order_no` is 0 until a number is allocated for `placed_at` and `home`."""

    order_no: int
    home: int
    placed_at: int
    merchant_id: int
    buyer_id: int
    buyer_login: str
    buyer_name: str
    version_id: int
    category: int
    face_value: int | None
    quantity: int
    status: int
    amount: int
    paid: int
    refunded: int
    cost: int
    fee: int
    payment_method: int | None
    platform: str
    account: str
    updated_at: int
    agent_id: int | None = None
    parent_order_no: int | None = None
    status_before: int | None = None
    has_after_sale: bool = False
    supplier_id: int | None = None
    escrow: int = 0
    escrow_until: int | None = None
    source_order_no: str | None = None
    tags: tuple[int, ...] = ()
    paid_at: int | None = None
    delivered_at: int | None = None
    completed_at: int | None = None
    refunded_at: int | None = None
    cancelled_at: int | None = None
    payments: tuple[PaymentFact, ...] = ()
    deliveries: tuple[DeliveryFact, ...] = ()
    cards: tuple[CardFact, ...] = ()
    notes: tuple[NoteFact, ...] = ()
    refs: tuple[RefFact, ...] = ()
    contact: str = ""
    ip: str = ""
    salts: bytes = b""
