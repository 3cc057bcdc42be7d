"""A buyer with a wallet at the card shop of `stock_ground`: fills it, orders and buys at once."""

from __future__ import annotations

from typing import Any


def order_of(shop: Any, quantity: int = 1, once: str = "") -> Any:
    from chadan.orders.placing import NewOrder

    return NewOrder(
        merchant_id=shop.merchant.pk,
        home=shop.merchant.home,
        buyer_id=shop.buyer.pk,
        buyer_login=shop.buyer.login,
        buyer_name=shop.buyer.name,
        version_id=shop.product.version_id,
        category=2,
        face_value=None,
        quantity=quantity,
        amount=1000 * quantity,
        contact="138@example.com",
        once=once,
    )


def fill(shop: Any, amount: int) -> None:
    from tests.support.stock_ground import TEST

    from chadan.money import flows
    from chadan.platform.scope import scoped

    with scoped(shop.scope) as session:
        owner = ("buyer", shop.buyer.pk)
        where = (shop.merchant.pk, shop.merchant.home)
        flows.wallet_topped_up(session, *where, owner, amount, None, f"test:{amount}", TEST)


def buy(shop: Any, order: Any) -> int | None:
    from tests.support.stock_ground import TEST

    from chadan.delivery import wallet_sale
    from chadan.platform.scope import scoped

    assert wallet_sale.serves(shop.product)
    with scoped(shop.scope, keyed=True) as session:
        return wallet_sale.buy(session, order, shop.product, TEST)
