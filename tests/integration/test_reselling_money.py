"""Any run of sales, deliveries, failures and refunds leaves wallet, rows and ledgers agreeing to the fen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]
SALES = st.lists(
    st.fixed_dictionaries(
        {
            "quantity": st.integers(1, 3),
            "price": st.integers(1, 5000),
            "cost": st.integers(0, 3000),
            "comes_to": st.sampled_from(["delivered", "failed", "under way"]),
            "back": st.integers(0, 3000),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=10)
@given(wallet=st.integers(0, 20_000), sales=SALES)
def test_margins_wallets_and_ledgers_agree(wallet: int, sales: list[dict[str, Any]]) -> None:
    from tests.support.agency import entries, make_agency, margin
    from tests.support.stock_ground import TEST, one, status_of

    from chadan.catalog.models import LevelPrice, Product
    from chadan.delivery import reselling, results
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import DeliveryKind, OrderStatus
    from chadan.payments import refunding, refunds
    from chadan.platform.scope import scoped

    agency = make_agency(DeliveryKind.TOPUP, wallet=wallet)
    held = wallet
    for sold in sales:
        amount, cost = sold["price"] * sold["quantity"], sold["cost"] * sold["quantity"]
        Product.objects.filter(pk=agency.shop.product.pk).update(price=sold["price"])
        agency.shop.product.refresh_from_db()
        LevelPrice.objects.filter(product=agency.above.product).update(price=sold["cost"])
        sale = agency.sale(sold["quantity"])
        deliver(sale)
        if cost > held:
            assert status_of(sale) is OrderStatus.PAID and agency.wallet() == held
            assert one("select count(*) from orders where parent_order_no = %s", sale) == 0
            continue
        held -= cost
        purchase = agency.purchase_of(sale)
        assert one("select amount from orders where order_no = %s", purchase) == cost and agency.wallet() == held
        deliver(purchase)
        with scoped(agency.above.scope) as session:
            if sold["comes_to"] == "delivered":
                results.delivered(session, purchase, actor=TEST, reason="done", cause="x")
            elif sold["comes_to"] == "failed":
                results.failed(session, purchase, reason="refused", actor=TEST, cause="x")
        reselling.purchase_done(purchase)
        if sold["comes_to"] == "failed":
            if cost:
                refunding.run(purchase, 1)
            held += cost
            assert status_of(sale) is OrderStatus.FAILED and margin(purchase) == 0
        if sold["comes_to"] == "delivered":
            back = min(sold["back"], amount)
            if back:
                with scoped(agency.shop.scope) as session:
                    seq = refunds.request(session, sale, back, "goodwill", TEST)
                    refunding.finish(session, refunds.get(session, sale, seq), "", TEST, by_hand=True)
            assert (margin(sale), margin(purchase)) == (amount - back - cost, cost)
        assert agency.wallet() == held
        assert entries(sale) == [(0,)] and entries(purchase) in ([(0,)], [(None,)])
