"""Placing an order: the row, its checkout and its first event, in the caller's transaction."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chadan.orders import number, outside
from chadan.orders.states import OrderStatus, RefKind
from chadan.platform.errors import Conflict
from chadan.platform.scope import Session

UNPAID_MINUTES = 30
"""How long a buyer has to pay."""
_ATTEMPTS = 20

_PLACE = """
with placed as (
    insert into orders (order_no, home, merchant_id, buyer_id, agent_id, parent_order_no, version_id, category, face_value,
                        quantity, status, amount, cost, platform, account, buyer_key, event_seq)
    values (%(order_no)s, %(home)s, %(merchant_id)s, %(buyer_id)s, %(agent_id)s, %(parent_order_no)s, %(version_id)s,
            %(category)s, %(face_value)s, %(quantity)s, %(status)s, %(amount)s, %(cost)s, %(platform)s, %(account)s,
            %(buyer_key)s, 1)
    on conflict do nothing
    returning order_no, home, merchant_id
), checked_out as (
    insert into order_checkouts (order_no, home, merchant_id, contact, lookup_hash, fields, ip, return_path, expires_at)
    select order_no, home, merchant_id, %(contact)s, %(lookup_hash)s, %(fields)s::jsonb, %(ip)s, %(return_path)s,
           coalesce(%(expires_at)s::timestamptz, clock_timestamp() + make_interval(mins => %(minutes)s))
    from placed
), told as (
    insert into order_events (order_no, home, order_seq, merchant_id, at, type, actor, biz, per, biz_salt, per_salt)
    select order_no, home, 1, merchant_id, clock_timestamp(), 'order.placed', %(actor)s::jsonb, %(biz)s::jsonb,
           %(per)s::jsonb, %(biz_salt)s, %(per_salt)s
    from placed
)
select 1 from placed
"""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What somebody orders. Money is fen; `once` makes a repeated placement find the order of the first one."""

    merchant_id: int
    home: int
    buyer_id: int
    buyer_login: str
    buyer_name: str
    version_id: int
    category: int
    face_value: int | None
    quantity: int
    amount: int
    cost: int = 0
    platform: str = "shop"
    account: str = ""
    agent_id: int | None = None
    parent_order_no: int | None = None
    contact: str = ""
    lookup_hash: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    ip: str = ""
    return_path: str = ""
    once: str = ""
    """An idempotency key, unique within the merchant; "" for none."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The order's number; `new` is False when the same `once` had placed it before."""

    order_no: int
    new: bool


def place(session: Session, order: NewOrder, actor: Mapping[str, Any], at: datetime | None = None) -> Placed:
    """Writes the order as pending_payment. `session` must see the merchant's orders.

    A buyer has UNPAID_MINUTES by the database's clock, the one clock all processes share, or from `at` on where that is given;
    then a sweep expires the order (orders.tasks). A number drawn twice is drawn again; a second that is full borrows from the next (DESIGN §2.3). Raises Conflict when the
    home takes no order for twenty seconds on end.
    """
    known = placed_before(session, order)
    if known is not None:
        return Placed(known, new=False)
    once = (RefKind.PLACEMENT, order.merchant_id, order.once)
    moment = at or number.now()
    expires_at = at and at + timedelta(minutes=UNPAID_MINUTES)
    for attempt in range(_ATTEMPTS):
        order_no = number.make(moment + timedelta(seconds=max(0, attempt - 3)), order.home)
        if session.rows(_PLACE, _values(order, order_no, actor, expires_at)):
            break
    else:
        raise Conflict("Too many orders are being placed at this moment.", hint="Try again in a few seconds.")
    if order.once and not outside.claim(session, *once, order_no):
        raise Conflict(
            "The same order is being placed at this very moment.", hint="Look at your orders, then try again."
        )
    return Placed(order_no, new=True)


def placed_before(session: Session, order: NewOrder) -> int | None:
    """The order that was placed with the same `once` before."""
    return outside.holder(session, order.home, RefKind.PLACEMENT, order.merchant_id, order.once) if order.once else None


def _values(order: NewOrder, order_no: int, actor: Mapping[str, Any], expires_at: datetime | None) -> dict[str, Any]:
    biz = {
        "order_no": number.text(order_no),
        "status": OrderStatus.PENDING_PAYMENT,
        "amount": f"{order.amount // 100}.{order.amount % 100:02d}",
        "currency": "CNY",
        "sku": str(order.version_id),
        "quantity": order.quantity,
    }
    per = {"account": order.account, "contact": order.contact or order.buyer_login, "ip": order.ip}
    return {
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
        "status": OrderStatus.PENDING_PAYMENT.code,
        "amount": order.amount,
        "cost": order.cost,
        "platform": order.platform,
        "account": order.account,
        "buyer_key": f"{order.buyer_login.lower()}\n{order.buyer_name.lower()}",
        "contact": order.contact,
        "lookup_hash": order.lookup_hash,
        "fields": json.dumps(dict(order.fields), ensure_ascii=False),
        "ip": order.ip,
        "return_path": order.return_path,
        "expires_at": expires_at,
        "minutes": UNPAID_MINUTES,
        "actor": json.dumps(actor, ensure_ascii=False),
        "biz": json.dumps(biz, ensure_ascii=False),
        "per": json.dumps(per, ensure_ascii=False),
        "biz_salt": secrets.token_bytes(32),
        "per_salt": secrets.token_bytes(32),
    }
