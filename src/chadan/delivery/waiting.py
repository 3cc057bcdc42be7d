"""Orders that wait for cards, and the jobs that try them again. Imported orders never wait here: their rows count no attempt."""

from __future__ import annotations

from chadan.catalog.models import Product
from chadan.delivery import alerts
from chadan.platform import jobs
from chadan.platform.scope import OPERATOR, Session, scoped

_OF_PRODUCT = """
select o.order_no from orders o join product_versions v on v.id = o.version_id
where o.merchant_id = %s and o.home = %s and o.status in (1, 2) and v.product_id = %s
  and exists (select 1 from order_deliveries d where d.order_no = o.order_no and d.home = o.home and d.status = 0
              and d.attempts > 0)
order by o.order_no limit %s
"""
# Missed wake-ups: an order that began to wait while cards were being stocked, or whose cards another's rollback set free.
_SERVABLE = """
select o.order_no, v.product_id
from orders o join product_versions v on v.id = o.version_id join products p on p.id = v.product_id
where o.status in (1, 2) and v.delivery_kind = 0
  and exists (select 1 from order_deliveries d where d.order_no = o.order_no and d.home = o.home and d.status = 0
              and d.attempts > 0)
  and (select count(*) from (select 1 from stock_cards c where c.product_id = p.id and c.state = 0 limit o.quantity) as free)
      >= case when p.split_delivery then 1 else o.quantity end
order by o.order_no limit %s
"""
MOST = 1_000


def stocked(session: Session, product: Product, cards: int) -> int:
    """Defers a delivery for the orders that new cards may serve, oldest first; returns how many. Joins the transaction."""
    alerts.settle(session, product)
    found = session.rows(_OF_PRODUCT, (product.merchant_id, product.home, product.pk, min(cards, MOST)))
    if found:
        # One after the other: an order placed first is served first.
        jobs.job("delivery.deliver", lock=f"stock:{product.pk}").batch_defer(*({"order_no": row[0]} for row in found))
    return len(found)


def sweep() -> int:
    """Defers a delivery for waiting orders whose product has cards, of all shops; returns how many."""
    deferred = 0
    with scoped(OPERATOR) as session:
        for order_no, product_id in session.rows(_SERVABLE, (MOST,)):
            ids, lock = {"order_no": order_no}, f"stock:{product_id}"
            deferred += jobs.defer_once("delivery.deliver", f"deliver:{order_no}", ids, lock=lock)
    return deferred
