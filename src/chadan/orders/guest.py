"""An order as its checkout left it: for guests, who hold no account, and for buying the same again.

Nothing here decides who may look. A guest proves a right to one order number (storefront.access), and from then on acts as
that order's buyer for that order alone: a contact somebody else typed too gives access to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from chadan.accounts.actors import Actor, permissions_of
from chadan.orders import number
from chadan.orders.states import OrderStatus
from chadan.platform.scope import OPERATOR, Scope, scoped

_CHECKOUT = """
select o.order_no, o.merchant_id, m.slug, o.buyer_id, v.product_id, v.title, o.quantity, o.status, o.amount,
       coalesce(c.contact, ''), coalesce(c.lookup_hash, ''), coalesce(c.fields, '{}'), c.expires_at
from orders o
join merchants m on m.id = o.merchant_id
join product_versions v on v.id = o.version_id
left join order_checkouts c on c.order_no = o.order_no and c.home = o.home
where o.order_no = %s and o.home = %s
"""
_NEWEST = "select o.order_no, o.home from orders o where o.buyer_id = %s order by o.order_no desc limit %s"
_HASH = "select lookup_hash from order_checkouts where order_no = %s and home = %s"


class Checkout(NamedTuple):
    """One order as it was placed. Money is fen; `lookup_hash` is "" for orders without a lookup code."""

    order_no: int
    merchant_id: int
    shop: str
    buyer_id: int
    product_id: int
    title: str
    quantity: int
    status_code: int
    amount: int
    contact: str
    lookup_hash: str
    stored_fields: str | dict[str, Any]
    expires_at: datetime | None

    @property
    def status(self) -> OrderStatus:
        """Where the order stands."""
        return OrderStatus.of(self.status_code)

    @property
    def fields(self) -> Mapping[str, str]:
        """What the buyer filled in, by field name."""
        stored = self.stored_fields
        loaded: dict[str, str] = json.loads(stored) if isinstance(stored, str) else stored
        return loaded


def checkout_of(order_no: int) -> Checkout | None:
    """The order's checkout, None for a number without an order. The caller has to know that its visitor may see it."""
    return next(iter(checkouts_of([order_no])), None)


def checkouts_of(order_nos: list[int]) -> list[Checkout]:
    """The checkouts of valid numbers, in their order, in one round trip; numbers without an order are left out."""
    if not order_nos:
        return []
    with scoped(OPERATOR) as session:
        found = session.many([(_CHECKOUT, (each, number.split(each).home)) for each in order_nos])
    return [Checkout(*rows[0]) for rows in found if rows]


def codes_of_buyer(buyer_id: int, most: int) -> list[tuple[int, str]]:
    """(order_no, lookup_hash) of the buyer's `most` newest orders; both statements run whoever the buyer is."""
    with scoped(Scope(buyer=buyer_id)) as session:
        orders = session.rows(_NEWEST, (buyer_id, most))
        hashes = session.many([(_HASH, order) for order in orders]) if orders else []
    return [(int(order[0]), str(rows[0][0]) if rows else "") for order, rows in zip(orders, hashes, strict=True)]


def guest_actor(buyer_id: int) -> Actor:
    """Somebody who proved a right to one order of `buyer_id`; hand it that order's number and no other."""
    return Actor(0, "", "guest", "guest", Scope(buyer=buyer_id), permissions_of("guest", ""))
