"""Low stock: one warning a product, by mail to the owners, until it is stocked again."""

from __future__ import annotations

from chadan.catalog.models import Product
from chadan.delivery import audit
from chadan.orders.events import system
from chadan.platform import jobs
from chadan.platform.scope import Scope, Session, scoped

_LEFT = """
select count(*) from (select 1 from stock_cards where product_id = %s and home = %s and state = 0 limit %s) as free
"""
_RAISE = """
insert into stock_alerts (product_id, home, merchant_id, left_over) values (%s, %s, %s, %s) on conflict do nothing
"""
_LOWER = "delete from stock_alerts where product_id = %s and home = %s"


def check(product_id: int) -> bool:
    """Raises the warning when fewer than `product.low_stock` cards are free and none is standing. True when it did.

    Called after a claim's commit, so the last of many claims at once sees them all.
    """
    product = Product.objects.get(pk=product_id)
    if product.low_stock is None or product.low_stock <= 0:
        return False
    with scoped(Scope(merchants=(product.merchant_id,), homes=(product.home,))) as session:
        left = free(session, product)
        if left >= product.low_stock:
            return False
        if not session.run(_RAISE, (product.pk, product.home, product.merchant_id, left)):
            return False
        details = {"product": product.pk, "left": left, "level": product.low_stock}
        audit.record("stock.low", product.merchant_id, str(product.pk), system("delivery"), details)
        jobs.job("delivery.warn_low_stock").defer(product_id=product.pk)
    return True


def free(session: Session, product: Product) -> int:
    """Free cards, counted no further than the level."""
    return int(session.rows(_LEFT, (product.pk, product.home, max(product.low_stock or 0, 1)))[0][0])


def settle(session: Session, product: Product) -> None:
    """Takes the warning down when the stock is above the level again."""
    if product.low_stock is None or free(session, product) >= product.low_stock:
        session.run(_LOWER, (product.pk, product.home))
