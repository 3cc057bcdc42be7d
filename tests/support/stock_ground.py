"""A shop that sells cards, orders that are paid, and a second connection for threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import connections
from tests.support.people import acting, make_merchant, make_staff, make_user

from chadan.accounts.actors import Actor
from chadan.accounts.models import Buyer, Merchant
from chadan.catalog.models import Product, ProductVersion
from chadan.delivery import stock
from chadan.delivery.card_lists import from_text
from chadan.orders.events import system
from chadan.orders.placing import NewOrder, place
from chadan.orders.states import Category, DeliveryKind, OrderStatus
from chadan.orders.transitions import transition
from chadan.platform.scope import Scope, scoped

TEST = system("test")


@dataclass
class CardShop:
    """A merchant, its owner, a buyer, and one card product."""

    merchant: Merchant
    owner: Actor
    buyer: Buyer
    product: Product

    @property
    def scope(self) -> Scope:
        return Scope(merchants=(self.merchant.pk,), homes=(self.merchant.home,))

    def import_text(self, *cards: str) -> stock.Report:
        return stock.import_cards(self.owner, self.product.pk, from_text("\n".join(cards)), "pasted")

    def order(self, quantity: int = 1, *, product: Product | None = None, paid: bool = True) -> int:
        """A new order, paid unless said otherwise; no job is deferred."""
        product = product or self.product
        assert product.version_id is not None
        new = NewOrder(
            merchant_id=self.merchant.pk,
            home=self.merchant.home,
            buyer_id=self.buyer.pk,
            buyer_login=self.buyer.login,
            buyer_name=self.buyer.name,
            version_id=product.version_id,
            category=Category.GAME_CARD.code,
            face_value=None,
            quantity=quantity,
            amount=product.price * quantity,
        )
        with scoped(self.scope) as session:
            order_no = place(session, new, TEST).order_no
            if paid:
                changes = {"paid": new.amount}
                transition(session, order_no, OrderStatus.PAID, actor=TEST, reason="paid", cause="t", changes=changes)
        return order_no


def make_product(
    merchant: Merchant, kind: DeliveryKind = DeliveryKind.CARD, *, title: str = "点卡 10 元", **fields: Any
) -> Product:
    """A product with its version."""
    product = Product.objects.create(
        merchant=merchant, home=merchant.home, title=title, price=1000, max_quantity=100, **fields
    )
    product.version = ProductVersion.objects.create(
        merchant_id=merchant.pk,
        home=merchant.home,
        product=product,
        title=title,
        category=Category.GAME_CARD.code,
        delivery_kind=kind.code,
    )
    product.save()
    return product


def make_card_shop(**fields: Any) -> CardShop:
    """A shop of its own for one test; `fields` are its product's."""
    merchant = make_merchant()
    owner = acting(make_staff(merchant))
    return CardShop(merchant, owner, make_user("buyer").buyer, make_product(merchant, **fields))


def one(sql: str, *params: Any) -> Any:
    """The first column of the first row, as the owner."""
    return rows(sql, *params)[0][0]


def rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def status_of(order_no: int) -> OrderStatus:
    return OrderStatus.of(one("select status from orders where order_no = %s", order_no))


def jobs(task: str, order_no: int) -> int:
    return int(
        one(
            "select count(*) from procrastinate_jobs where task_name = %s and (args ->> 'order_no')::bigint = %s",
            task,
            order_no,
        )
    )


def in_threads(work: Callable[[Any], Any], items: Iterable[Any], threads: int = 16) -> list[Any]:
    """`work(item)` for every item in their order, by threads that each have a connection of their own."""
    source, lock = enumerate(items), Lock()

    def loop(_thread: int) -> list[tuple[int, Any]]:
        done = []
        try:
            while True:
                with lock:
                    place, item = next(source, (None, None))
                if place is None:
                    return done
                done.append((place, work(item)))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        found = [pair for part in pool.map(loop, range(threads)) for pair in part]
    return [answer for _place, answer in sorted(found, key=lambda pair: pair[0])]
