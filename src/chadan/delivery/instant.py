"""Selling from stock in one call: for an order that is paid in the moment it is placed.

The won cards decide: without them there is no order. Order, lines and events come into being from the cards that were
picked, in one round trip and one commit, so nothing is ever half sold.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_noop

from chadan.orders import number
from chadan.orders.placing import NewOrder
from chadan.orders.states import OrderStatus, PaymentMethod
from chadan.payments.records import out_no_of
from chadan.platform.config import get_config
from chadan.platform.errors import Conflict
from chadan.platform.scope import Session

SELL = """
select sell_from_stock(%(order_no)s::bigint, %(home)s::smallint, %(merchant_id)s::bigint, %(product_id)s::bigint,
    %(buyer_id)s::bigint, %(agent_id)s::bigint, %(parent_order_no)s::bigint, %(version_id)s::bigint, %(category)s::smallint,
    %(face_value)s::bigint, %(quantity)s::integer, %(amount)s::bigint, %(cost)s::bigint, %(method)s::smallint,
    %(platform)s::text, %(account)s::text, %(buyer_key)s::text, %(escrow_until)s::timestamptz, %(actor)s::jsonb,
    %(placed)s::jsonb, %(paid)s::jsonb, %(delivered)s::jsonb, %(per)s::jsonb, %(salts)s::bytea, %(wait)s::boolean)
"""
"""delivery/sql/sell.sql says what comes back."""
PAID = gettext_noop("payment received")
DELIVERED = gettext_noop("delivered from stock")
NO_CARDS, _TAKEN, SOLD = range(3)
_ATTEMPTS = 20


def sell(
    session: Session,
    order: NewOrder,
    product_id: int,
    *,
    method: PaymentMethod,
    actor: Mapping[str, Any],
    at: datetime | None = None,
) -> int | None:
    """Places, pays and delivers the order from stock; its number, or None when there are not enough cards.

    What the payment means for the ledger is the caller's to post in the same transaction. A number drawn twice is drawn
    again, in the next second when this one is full. Raises Conflict when the home takes no order for twenty seconds on end.
    """
    order_no, said = draw(session, SELL, order, product_id, method=method, actor=actor, at=at)
    return order_no if said == SOLD else None


def draw(
    session: Session,
    statement: str,
    order: NewOrder,
    product_id: int,
    *,
    method: PaymentMethod,
    actor: Mapping[str, Any],
    at: datetime | None = None,
    more: Callable[[int], Mapping[str, Any]] = lambda _order_no: {},
) -> tuple[int, int]:
    """Draws a number and calls `statement` with it until the number is free: (number, what the call said).

    `more` gives what the statement takes besides `values`. Raises Conflict as `sell`.
    """
    moment = at or number.now()
    for attempt in range(_ATTEMPTS):
        order_no = number.make(moment + timedelta(seconds=max(0, attempt - 3)), order.home)
        filled = {**values(order, product_id, order_no, moment, method, actor), **more(order_no)}
        said = session.rows(statement, filled)[0][0]
        if said == NO_CARDS:  # perhaps others hold the last ones and give them back: wait for them
            said = session.rows(statement, {**filled, "wait": True})[0][0]
        if said != _TAKEN:
            return order_no, said
    raise Conflict("Too many orders are being placed at this moment.", hint="Try again in a few seconds.")


def cause_of(order_no: int) -> str:
    """What the payment of an order that is paid from a wallet at once is known by, to its events and to the ledger."""
    return f"payment:0:{out_no_of(order_no, 1)}"


def values(  # noqa: PLR0917 - what an order consists of
    order: NewOrder, product_id: int, order_no: int, moment: datetime, method: PaymentMethod, actor: Mapping[str, Any]
) -> dict[str, Any]:
    """What the call takes, by name."""
    yuan = f"{order.amount // 100}.{order.amount % 100:02d}"
    text = number.text(order_no)
    known = {"order_no": text, "amount": yuan, "currency": "CNY"}
    placed = {**known, "sku": str(order.version_id), "quantity": order.quantity, "paid": "0.00"}
    steps: dict[OrderStatus, dict[str, object]] = {
        OrderStatus.PAID: {"reason": PAID, "cause": cause_of(order_no)},
        OrderStatus.DELIVERED: {"reason": DELIVERED, "cause": f"stock:{text}", "cards": order.quantity},
    }
    before = {OrderStatus.PAID: OrderStatus.PENDING_PAYMENT, OrderStatus.DELIVERED: OrderStatus.PAID}
    told = {to: {**known, "status": to, "before": before[to], "paid": yuan, **said} for to, said in steps.items()}
    per = {"account": order.account, "contact": order.contact or order.buyer_login, "ip": order.ip}
    return {
        "product_id": product_id,
        "order_no": order_no,
        "home": order.home,
        "merchant_id": order.merchant_id,
        "buyer_id": order.buyer_id,
        "agent_id": order.agent_id,
        "parent_order_no": order.parent_order_no,
        "version_id": order.version_id,
        "category": order.category,
        "face_value": order.face_value,
        "quantity": order.quantity,
        "amount": order.amount,
        "cost": order.cost,
        "method": method.code,
        "platform": order.platform,
        "account": order.account,
        "buyer_key": f"{order.buyer_login.lower()}\n{order.buyer_name.lower()}",
        "escrow_until": moment + timedelta(hours=get_config().escrow_hours),
        "actor": json.dumps(actor, ensure_ascii=False),
        "placed": json.dumps({**placed, "status": OrderStatus.PENDING_PAYMENT}),
        "paid": json.dumps(told[OrderStatus.PAID]),
        "delivered": json.dumps(told[OrderStatus.DELIVERED]),
        "per": json.dumps(per, ensure_ascii=False),
        "salts": secrets.token_bytes(192),
        "wait": False,
    }
