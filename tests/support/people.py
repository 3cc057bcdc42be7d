"""Users, shops and orders for tests, written straight into the database."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connections
from tests.support.names import PASSWORD, PHONE, unique

from chadan.accounts.actors import Actor, actor_of
from chadan.accounts.models import Buyer, Membership, Merchant, Role, User
from chadan.catalog.models import Product, ProductVersion
from chadan.orders import number
from chadan.orders.states import Category, DeliveryKind, OrderStatus, PaymentMethod

_COUNT = itertools.count(1)


def make_user(word: str = "user", **fields: Any) -> User:
    """A user with PASSWORD and a buyer record unless `buyer=False`."""
    buyer = fields.pop("buyer", True)
    name = unique(word)
    user = User(username=name, email=f"{name}@example.com", **fields)
    user.set_password(PASSWORD)
    user.save()
    if buyer:
        Buyer.objects.create(user=user, login=name, name=name)
    return user


def make_merchant(word: str = "shop", *, is_agent: bool = False, home: int | None = None) -> Merchant:
    """A shop without staff."""
    name = unique(word)
    return Merchant.objects.create(
        slug=name, name=name, is_agent=is_agent, home=next(_COUNT) % 1000 if home is None else home
    )


def make_staff(merchant: Merchant, role: Role = Role.OWNER) -> User:
    """A user who works for the merchant and buys nothing."""
    user = make_user(f"{role}-", buyer=False)
    Membership.objects.create(user=user, merchant=merchant, role=role)
    return user


def acting(user: User, key: str = "") -> Actor:
    """The user's capacity `key`, or the first one."""
    actor = actor_of(user, key)
    assert actor is not None
    return actor


def make_version(merchant: Merchant) -> ProductVersion:
    """A snapshot of a new product."""
    product = Product.objects.create(merchant=merchant, home=merchant.home, title="话费 100 元", price=9800)
    return ProductVersion.objects.create(
        merchant_id=merchant.pk,
        home=merchant.home,
        product=product,
        title="话费 100 元",
        brand="中国移动",
        category=Category.PHONE_TOPUP.code,
        category_title="话费",
        variant="100 元",
        face_value=10000,
        delivery_kind=DeliveryKind.TOPUP.code,
    )


@dataclass
class Shop:
    """A merchant with one user in every role, a buyer and an agent, and orders between them."""

    merchant: Merchant
    staff: dict[str, User]
    buyer: User
    agent: Merchant
    agent_owner: User
    orders: list[int] = field(default_factory=list)


def make_shop(orders: int = 3) -> Shop:
    """A shop with `orders` orders; every second one was resold by the agent."""
    merchant = make_merchant()
    agent = make_merchant("agent", is_agent=True)
    staff = {str(role): make_staff(merchant, role) for role in Role}
    shop = Shop(merchant, staff, make_user("buyer"), agent, make_staff(agent))
    version = make_version(merchant)
    for index in range(orders):
        shop.orders.append(
            make_order(merchant, shop.buyer.buyer, version, agent=agent if index % 2 else None, amount=9800 + index)
        )
    return shop


def make_order(
    merchant: Merchant,
    buyer: Buyer,
    version: ProductVersion,
    *,
    agent: Merchant | None = None,
    at: datetime | None = None,
    **columns: Any,
) -> int:
    """A completed order with one payment, delivery, note, tag-less; returns its number."""
    at = (at or datetime.now(UTC)).replace(microsecond=0)
    order_no = number.make(at, merchant.home)
    values: dict[str, Any] = {
        "order_no": order_no,
        "home": merchant.home,
        "merchant_id": merchant.pk,
        "buyer_id": buyer.pk,
        "agent_id": agent.pk if agent else None,
        "version_id": version.pk,
        "category": version.category,
        "face_value": version.face_value,
        "status": OrderStatus.COMPLETED.code,
        "amount": 9800,
        "paid": 9800,
        "cost": 9500,
        "payment_method": PaymentMethod.ALIPAY.code,
        "platform": "shop",
        "account": PHONE,
        "buyer_key": f"{buyer.login.lower()}\n{buyer.name.lower()}",
        "paid_at": at,
        "completed_at": at,
        "event_seq": 1,
        **columns,
    }
    _insert("orders", values)
    owned = {"order_no": order_no, "home": merchant.home}
    txn = secrets.token_hex(12)
    _insert(
        "order_payments",
        {**owned, "seq": 1, "method": 0, "status": 1, "amount": 9800, "txn_no": txn, "created_at": at, "paid_at": at},
    )
    _insert("order_deliveries", {**owned, "seq": 1, "kind": 1, "status": 2, "supplier_no": f"S{txn}", "created_at": at})
    _insert("order_notes", {**owned, "seq": 1, "author": "test", "body": "a note"})
    _insert(
        "external_refs", {"home": merchant.home, "kind": 1, "scope_id": merchant.pk, "ref": txn, "order_no": order_no}
    )
    _insert(
        "order_events",
        {
            **owned,
            "order_seq": 1,
            "merchant_id": merchant.pk,
            "at": at,
            "type": "imported",
            "actor": '{"kind": "system", "name": "test"}',
            "biz": "{}",
            "biz_salt": secrets.token_bytes(32),
        },
    )
    return order_no


def _insert(table: str, values: dict[str, Any]) -> None:
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"insert into {table} ({names}) values ({marks})", list(values.values()))
