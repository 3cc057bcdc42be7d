"""Stock: what is imported, found again, withdrawn, and never sold twice."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


def test_cards_are_stocked_sealed_and_counted() -> None:
    from tests.support.stock_ground import make_card_shop, one, rows

    from chadan.delivery import stock
    from chadan.delivery.claims import stock_of

    shop = make_card_shop()
    report = shop.import_text("AAAA-BBBB-CCCC-0001", "AAAA-BBBB-CCCC-0002", "", "AAAA-BBBB-CCCC-0001", "x" * 2001)
    assert (report.read, report.added, report.duplicate, report.rejected) == (4, 2, 1, 1)
    assert report.repeated == [4] and report.problems == [(5, "longer than 2,000 characters")]
    assert stock_of([shop.product.pk, 0]) == {shop.product.pk: 2, 0: 0}
    batch = rows("select read, added, duplicate, rejected, source from stock_batches where id = %s", report.batch_id)
    assert batch == [(4, 2, 1, 1, "pasted")]
    secret = bytes(one("select secret from stock_cards where product_id = %s limit 1", shop.product.pk))
    assert b"AAAA" not in secret
    card = one("select min(id) from stock_cards where product_id = %s", shop.product.pk)
    assert stock.reveal(shop.owner, card) == "AAAA-BBBB-CCCC-0001"
    events = rows("select type from audit_events where merchant_id = %s order by id", shop.merchant.pk)
    assert events == [("stock.imported",), ("stock.revealed",)]


def test_a_delivered_order_holds_the_won_card() -> None:
    from tests.support.stock_ground import make_card_shop, one, rows, status_of

    from chadan.delivery.dispatch import deliver
    from chadan.orders.reveal import reveal_cards
    from chadan.orders.states import OrderStatus

    shop = make_card_shop()
    shop.import_text("CARD-0001-AAAA", "CARD-0002-AAAA", "CARD-0003-AAAA")
    order_no = shop.order(2)
    deliver(order_no)
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.DELIVERED
    assert reveal_cards(shop.owner, order_no) == ["CARD-0001-AAAA", "CARD-0002-AAAA"]
    row = rows(
        "select escrow, escrow_until - delivered_at > interval '23 hours' from orders where order_no = %s", order_no
    )
    assert row == [(1, True)]
    assert rows("select kind, status from order_deliveries where order_no = %s", order_no) == [(0, 2)]
    assert one("select count(*) from stock_cards where product_id = %s and state = 0", shop.product.pk) == 1
