"""A connection remembers where a product's free cards begin: it still sells every card, once, and those that come back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from tests.support.wallet_buyer import buy, fill, order_of

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


@pytest.fixture
def shop() -> Any:
    from tests.support.stock_ground import make_card_shop

    shop = make_card_shop()
    shop.import_text(*(f"HEAD-CARD-{one:04d}" for one in range(1203)))
    fill(shop, 1000 * 3000)
    return shop


def owner(sql: str, *args: Any) -> list[Any]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, args)
        return cursor.fetchall() if cursor.description else []


def test_a_card_behind_the_remembered_place_is_sold_when_none_is_left(shop: Any) -> None:
    for _ in range(12):
        assert buy(shop, order_of(shop, quantity=100)) is not None
    first = owner("select min(id), max(id) from stock_cards where product_id = %s", shop.product.pk)[0]
    assert first[1] - first[0] > 1000
    owner("update stock_cards set state = 0, order_no = null, line = null, sold_at = null where id = %s", first[0])
    assert buy(shop, order_of(shop, quantity=3)) is not None
    assert owner("select count(*) from stock_cards where product_id = %s and state = 0", shop.product.pk) == [(1,)]
    assert buy(shop, order_of(shop)) is not None
    assert buy(shop, order_of(shop)) is None


def test_what_was_rolled_back_is_not_remembered(shop: Any) -> None:
    from tests.support.stock_ground import TEST

    from chadan.delivery import wallet_sale
    from chadan.platform.scope import scoped

    def give_up() -> None:
        with scoped(shop.scope, keyed=True) as session:
            assert wallet_sale.buy(session, order_of(shop, quantity=100), shop.product, TEST) is not None
            raise RuntimeError

    with pytest.raises(RuntimeError):
        give_up()
    assert buy(shop, order_of(shop)) is not None
    sold = owner("select id from stock_cards where product_id = %s and state = 1", shop.product.pk)
    assert sold == owner("select min(id) from stock_cards where product_id = %s", shop.product.pk)
