"""Selling from stock in one statement: for an order that is paid in the moment it is placed.

The won cards decide: without them there is no order. Order, lines and events come into being from the cards that were
picked, in one round trip and one commit, so nothing is ever half sold.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chadan.orders import number
from chadan.orders.placing import NewOrder
from chadan.orders.states import Escrow, OrderStatus, PaymentMethod
from chadan.platform.config import get_config
from chadan.platform.errors import Conflict
from chadan.platform.scope import Session

SELL = """
with picked as (
    select id, home, merchant_id, card_id, key_id, secret, blind, hint from stock_cards
    where product_id = %(product_id)s and home = %(home)s and merchant_id = %(merchant_id)s and state = 0
    order by id limit %(quantity)s
    for update skip locked
), cards as (
    select *, row_number() over (order by id) as line from picked where (select count(*) from picked) = %(quantity)s
), sold as (
    insert into orders (order_no, home, merchant_id, buyer_id, agent_id, parent_order_no, version_id, category, face_value,
                        quantity, status, amount, paid, cost, payment_method, platform, account, buyer_key, escrow,
                        escrow_until, paid_at, delivered_at, event_seq)
    select %(order_no)s, home, merchant_id, %(buyer_id)s, %(agent_id)s, %(parent_order_no)s, %(version_id)s, %(category)s,
           %(face_value)s, %(quantity)s, %(status)s, %(amount)s, %(amount)s, %(cost)s, %(method)s, %(platform)s,
           %(account)s, %(buyer_key)s, %(escrow)s, %(escrow_until)s, now(), now(), 3
    from cards where line = 1
    on conflict do nothing
    returning order_no, home, merchant_id
), lines as (
    insert into order_cards (order_no, home, line, merchant_id, card_id, key_id, secret, blind, hint)
    select s.order_no, c.home, c.line, c.merchant_id, c.card_id, c.key_id, c.secret, c.blind, c.hint from cards c, sold s
), taken as (
    update stock_cards t set state = 1, order_no = s.order_no, line = c.line, sold_at = now()
    from cards c, sold s where t.id = c.id and t.home = c.home
), told as (
    insert into order_events (order_no, home, order_seq, merchant_id, at, type, actor, biz, per, biz_salt, per_salt)
    select s.order_no, s.home, e.seq, s.merchant_id, clock_timestamp(), e.type, %(actor)s::jsonb, e.biz::jsonb,
           e.per::jsonb, substr(%(salts)s::bytea, 64 * e.seq - 63, 32), substr(%(salts)s::bytea, 64 * e.seq - 31, 32)
    from sold s, (values (1, 'order.placed', %(placed)s::text, %(per)s::text), (2, 'order.paid', %(paid)s::text, '{}'),
                         (3, 'order.delivered', %(delivered)s::text, '{}')) as e (seq, type, biz, per)
)
select (select count(*) from cards), (select count(*) from sold)
"""
_SELL_WAITING = SELL.replace("for update skip locked", "for update")
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
    moment = at or number.now()
    for attempt in range(_ATTEMPTS):
        order_no = number.make(moment + timedelta(seconds=max(0, attempt - 3)), order.home)
        filled = values(order, product_id, order_no, moment, method, actor)
        cards, sold = session.rows(SELL, filled)[0]
        if not cards:  # perhaps others hold the last ones and give them back: wait for them
            cards, sold = session.rows(_SELL_WAITING, filled)[0]
        if sold:
            return order_no
        if not cards:
            return None
    raise Conflict("Too many orders are being placed at this moment.", hint="Try again in a few seconds.")


def values(  # noqa: PLR0917 - what an order consists of
    order: NewOrder, product_id: int, order_no: int, moment: datetime, method: PaymentMethod, actor: Mapping[str, Any]
) -> dict[str, Any]:
    """What the statement takes, by name."""
    yuan = f"{order.amount // 100}.{order.amount % 100:02d}"
    known = {"order_no": number.text(order_no), "amount": yuan, "currency": "CNY"}
    placed = {**known, "sku": str(order.version_id), "quantity": order.quantity}
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
        "status": OrderStatus.DELIVERED.code,
        "amount": order.amount,
        "cost": order.cost,
        "method": method.code,
        "platform": order.platform,
        "account": order.account,
        "buyer_key": f"{order.buyer_login.lower()}\n{order.buyer_name.lower()}",
        "escrow": Escrow.HELD.code,
        "escrow_until": moment + timedelta(hours=get_config().escrow_hours),
        "actor": json.dumps(actor, ensure_ascii=False),
        "placed": json.dumps({**placed, "status": OrderStatus.PENDING_PAYMENT, "paid": "0.00"}),
        "paid": json.dumps({**known, "status": OrderStatus.PAID, "before": OrderStatus.PENDING_PAYMENT, "paid": yuan}),
        "delivered": json.dumps({**known, "status": OrderStatus.DELIVERED, "before": OrderStatus.PAID, "paid": yuan}),
        "per": json.dumps(per, ensure_ascii=False),
        "salts": secrets.token_bytes(192),
    }
