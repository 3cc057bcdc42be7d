"""What the stock page shows: per product what is free, what was sold today, whether it runs low; and the batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chadan.accounts.actors import Actor
from chadan.catalog.models import Product
from chadan.delivery import stock
from chadan.orders import number
from chadan.orders.states import DeliveryKind
from chadan.platform.scope import scoped

_FREE = """
select product_id, count(*) from stock_cards
where product_id = any(%s::bigint[]) and merchant_id = %s and home = %s and state = 0 group by product_id
"""
_TODAY = """
select product_id, count(*) from stock_cards
where order_no >= %s and merchant_id = %s and home = %s group by product_id
"""
_BATCHES = """
select b.id, b.source, b.read, b.added, b.duplicate, b.rejected, b.added_at,
       (select count(*) from stock_cards c where c.batch_id = b.id and c.state = 0)
from stock_batches b where b.merchant_id = %s and b.product_id = %s order by b.id desc limit 50
"""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A card product's stock."""

    product: Product
    free: int
    sold_today: int

    @property
    def low(self) -> bool:
        """Whether fewer cards are free than the product's level."""
        return self.product.low_stock is not None and self.free < self.product.low_stock


@dataclass(frozen=True, slots=True)
class Batch:
    """A list that was imported, and how many of its cards are still free."""

    id: int
    source: str
    read: int
    added: int
    duplicate: int
    rejected: int
    added_at: datetime
    free: int


def shelves(actor: Actor) -> list[Shelf]:
    """The shop's card products, by title; "sold today" counts the cards of orders placed today. Raises Forbidden."""
    merchant_id, home = stock.shop_of(actor)
    products = list(
        Product.objects.filter(
            merchant_id=merchant_id, active=True, version__delivery_kind=DeliveryKind.CARD.code, upstream=None
        ).order_by("title", "pk")
    )
    today = number.floor(number.now().replace(hour=0, minute=0, second=0, microsecond=0))
    with scoped(actor.scope) as session:
        free, sold = (
            dict(rows)
            for rows in session.many(
                [(_FREE, ([one.pk for one in products], merchant_id, home)), (_TODAY, (today, merchant_id, home))]
            )
        )
    return [Shelf(one, int(free.get(one.pk, 0)), int(sold.get(one.pk, 0))) for one in products]


def shelf(actor: Actor, product_id: int) -> Shelf:
    """One product's stock. Raises as `stock.product_of`."""
    product = stock.product_of(actor, product_id)
    with scoped(actor.scope) as session:
        found = dict(session.rows(_FREE, ([product.pk], product.merchant_id, product.home)))
    return Shelf(product, int(found.get(product.pk, 0)), 0)


def batches(actor: Actor, product_id: int) -> list[Batch]:
    """The product's newest imports."""
    product = stock.product_of(actor, product_id)
    with scoped(actor.scope) as session:
        return [Batch(*row) for row in session.rows(_BATCHES, (product.merchant_id, product.pk))]
