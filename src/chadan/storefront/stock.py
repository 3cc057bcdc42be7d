"""How much of a product can be had now."""

from __future__ import annotations

from collections.abc import Iterable

from chadan.catalog.models import Product, ProductSource
from chadan.delivery.claims import stock_of
from chadan.orders.states import DeliveryKind


def available(products: Iterable[Product]) -> dict[int, int | None]:
    """Pieces by product id; None where nothing is counted: top-ups, work by hand, a supplier that tells no number.

    Cards in stock count first, then what suppliers last told; an agent's product has what the upstream product has.
    """
    wanted = list(products)
    own = [product for product in wanted if product.upstream_id is None]
    upstream = {product.pk: product.upstream_id for product in wanted if product.upstream_id is not None}
    theirs = Product.objects.filter(pk__in=set(upstream.values()), active=True).select_related("version")
    known = _own(own)
    behind = _own(list(theirs))
    return {**known, **{pk: behind.get(above, 0) for pk, above in upstream.items() if above is not None}}


def _own(products: list[Product]) -> dict[int, int | None]:
    cards = [product.pk for product in products if _is_card(product)]
    found: dict[int, int | None] = {product.pk: None for product in products}
    if not cards:
        return found
    counted, supplied = stock_of(cards), _supplied(cards)
    for pk in cards:
        more = supplied.get(pk, 0)
        found[pk] = None if more is None else counted.get(pk, 0) + more
    return found


def _is_card(product: Product) -> bool:
    return product.version is not None and product.version.delivery_kind == DeliveryKind.CARD.code


def _supplied(product_ids: list[int]) -> dict[int, int | None]:
    """What active suppliers have of each product; None for a number they do not tell."""
    found: dict[int, int | None] = {}
    sources = ProductSource.objects.filter(product_id__in=product_ids, active=True, supplier__active=True)
    for pk, stock in sources.values_list("product_id", "stock"):
        before = found.get(pk, 0)
        found[pk] = None if stock is None or before is None else before + stock
    return found
