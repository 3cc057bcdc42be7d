"""Selling in one statement: the order comes into being from the won card, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.wallet_buyer import order_of

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


def sell(shop: Any, order: Any, **more: Any) -> int | None:
    from tests.support.stock_ground import TEST

    from chadan.delivery import instant
    from chadan.orders.states import PaymentMethod
    from chadan.platform.scope import scoped

    with scoped(shop.scope, keyed=True) as session:
        return instant.sell(session, order, shop.product.pk, method=PaymentMethod.BALANCE, actor=TEST, **more)


def test_a_sale_writes_order_cards_and_three_events() -> None:
    from tests.support.stock_ground import make_card_shop, rows

    from chadan.orders.reveal import reveal_cards

    shop = make_card_shop()
    shop.import_text("SALE-CARD-0001", "SALE-CARD-0002", "SALE-CARD-0003")
    order_no = sell(shop, order_of(shop, 2))
    assert order_no is not None
    assert reveal_cards(shop.owner, order_no) == ["SALE-CARD-0001", "SALE-CARD-0002"]
    assert rows("select status, amount, paid, escrow, event_seq from orders where order_no = %s", order_no) == [
        (3, 2000, 2000, 1, 4)
    ]
    events = rows(
        "select order_seq, type, biz ->> 'status', biz ->> 'paid', per ->> 'contact' from order_events"
        " where order_no = %s and order_seq < 4 order by 1",
        order_no,
    )
    assert events == [
        (1, "order.placed", "pending_payment", "0.00", "138@example.com"),
        (2, "order.paid", "paid", "20.00", None),
        (3, "order.delivered", "delivered", "20.00", None),
    ]
    salts = rows("select biz_salt, per_salt from order_events where order_no = %s and order_seq < 4", order_no)
    assert len({bytes(salt) for pair in salts for salt in pair}) == 6
    assert sell(shop, order_of(shop, 2)) is None
    assert sell(shop, order_of(shop)) is not None


def test_a_number_that_is_taken_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.stock_ground import make_card_shop, one

    from chadan.orders import number

    shop = make_card_shop()
    shop.import_text("DRAWN-CARD-0001", "DRAWN-CARD-0002")
    first = sell(shop, order_of(shop))
    drawn = iter([first, first, number.make(number.now(), shop.merchant.home)])
    monkeypatch.setattr(number, "make", lambda *_args: next(drawn))
    second = sell(shop, replace(order_of(shop), ip="203.0.113.9"))
    assert second not in (None, first)
    assert one("select count(*) from stock_cards where product_id = %s and state = 1", shop.product.pk) == 2


def test_sixteen_buyers_of_ten_cards() -> None:
    from tests.support.stock_ground import in_threads, make_card_shop, one

    shop = make_card_shop()
    shop.import_text(*(f"TEN-CARD-{card:04d}" for card in range(10)))
    won = in_threads(lambda _buyer: sell(shop, order_of(shop)), range(16))
    assert sum(order_no is not None for order_no in won) == 10
    assert one("select count(distinct order_no) from order_cards where merchant_id = %s", shop.merchant.pk) == 10
