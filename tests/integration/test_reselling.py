"""An agent's sale and the purchase behind it: linked, paid once, delivered through, right to the fen."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


def test_a_sale_is_bought_above_and_delivered_through_to_the_fen() -> None:
    from tests.support.agency import entries, make_agency, margin
    from tests.support.stock_ground import jobs, one, rows, status_of

    from chadan.delivery import reselling
    from chadan.delivery.dispatch import deliver
    from chadan.orders.reveal import reveal_cards
    from chadan.orders.states import OrderStatus

    agency = make_agency()
    agency.above.import_text("UP-0001-CARD", "UP-0002-CARD")
    sale = agency.sale(2)
    deliver(sale)
    deliver(sale)
    purchase = agency.purchase_of(sale)
    assert one("select count(*) from orders where parent_order_no = %s", sale) == 1
    assert status_of(sale) is OrderStatus.PROCESSING and status_of(purchase) is OrderStatus.DELIVERED
    assert agency.wallet() == 10_000 - 1800
    assert jobs("delivery.deliver", purchase) == 0 and jobs("delivery.purchase_done", purchase) == 1
    reselling.purchase_done(purchase)
    reselling.purchase_done(purchase)
    assert status_of(sale) is OrderStatus.DELIVERED
    assert sorted(reveal_cards(agency.shop.owner, sale)) == ["UP-0001-CARD", "UP-0002-CARD"]
    keys = (
        "select distinct k.merchant_id from order_cards c join merchant_keys k on k.id = c.key_id where order_no = %s"
    )
    assert rows(keys, sale) == [(agency.shop.merchant.pk,)]
    assert rows(keys, purchase) == [(agency.above.merchant.pk,)]
    assert (margin(sale), margin(purchase)) == (2000 - 1800, 1800)
    linked = rows("select supplier_no, cost, status from order_deliveries where order_no = %s", sale)
    assert linked == [(f"{purchase:019d}", 1800, 2)]
    assert entries(sale) == entries(purchase) == [(0,)]


def test_sales_agent_and_purchase_views_stay_apart() -> None:
    from tests.support.agency import make_agency

    from chadan.delivery.dispatch import deliver
    from chadan.search.order_query import OrderQuery
    from chadan.search.service import find_orders

    agency = make_agency()
    sale = agency.sale()
    deliver(sale)
    purchase = agency.purchase_of(sale)

    def found(scope: object, view: str) -> list[int]:
        return [row.order_no for row in find_orders(scope, OrderQuery(role_view=view), view).rows]

    below, above = agency.shop.scope, agency.above.scope
    assert [found(below, view) for view in ("sales", "agent", "purchases")] == [[sale], [], [purchase]]
    assert [found(above, view) for view in ("sales", "agent", "purchases")] == [[], [purchase], []]


def test_a_purchase_that_fails_fails_the_sale_and_gives_the_wallet_its_money_back() -> None:
    from tests.support.agency import entries, make_agency, margin
    from tests.support.stock_ground import TEST, one, status_of

    from chadan.delivery import reselling, results
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import DeliveryKind, OrderStatus
    from chadan.payments import refunding, refunds
    from chadan.platform.scope import scoped

    agency = make_agency(DeliveryKind.TOPUP)
    sale = agency.sale()
    deliver(sale)
    purchase = agency.purchase_of(sale)
    deliver(purchase)
    with scoped(agency.above.scope) as session:
        results.failed(session, purchase, reason="the network refused it", actor=TEST, cause="x")
    reselling.purchase_done(purchase)
    reselling.purchase_done(purchase)
    assert status_of(sale) is OrderStatus.FAILED
    assert one("select count(*) from order_refunds where order_no = %s", purchase) == 1
    refunding.run(purchase, 1)
    assert status_of(purchase) is OrderStatus.REFUNDED and agency.wallet() == 10_000
    with scoped(agency.shop.scope) as session:
        seq = refunds.request(session, sale, 1000, "not delivered", TEST)
        refunding.finish(session, refunds.get(session, sale, seq), "", TEST, by_hand=True)
    assert status_of(sale) is OrderStatus.REFUNDED
    assert (margin(sale), margin(purchase)) == (0, 0)
    assert entries(sale) == entries(purchase) == [(0,)]


def test_a_refund_of_the_delivered_sale_is_the_agents_loss_alone() -> None:
    from tests.support.agency import make_agency, margin
    from tests.support.stock_ground import TEST, status_of

    from chadan.delivery import reselling
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus
    from chadan.payments import refunding, refunds
    from chadan.platform.scope import scoped

    agency = make_agency()
    agency.above.import_text("LOSS-0001-CARD")
    sale = agency.sale()
    deliver(sale)
    purchase = agency.purchase_of(sale)
    deliver(purchase)
    reselling.purchase_done(purchase)
    with scoped(agency.shop.scope) as session:
        seq = refunds.request(session, sale, 400, "goodwill", TEST)
        refunding.finish(session, refunds.get(session, sale, seq), "", TEST, by_hand=True)
    assert (margin(sale), margin(purchase)) == (1000 - 400 - 900, 900)
    assert status_of(purchase) is OrderStatus.DELIVERED and agency.wallet() == 9100


def test_an_empty_wallet_lets_the_sale_wait_until_it_is_topped_up() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import one, rows, status_of

    from chadan.delivery import reselling
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    agency = make_agency(wallet=899)
    sale = agency.sale()
    deliver(sale)
    deliver(sale)
    assert status_of(sale) is OrderStatus.PAID
    assert rows("select status, reason, attempts from order_deliveries where order_no = %s", sale) == [
        (0, reselling.NO_MONEY, 2)
    ]
    assert one("select count(*) from orders where parent_order_no = %s", sale) == 0 and agency.wallet() == 899
    assert reselling.waiting_for_money(agency.shop.merchant.pk) == [sale]
    agency.top_up(1)
    deliver(sale)
    assert status_of(sale) is OrderStatus.PROCESSING and agency.wallet() == 0
    assert reselling.waiting_for_money(agency.shop.merchant.pk) == []


def test_an_agent_that_was_suspended_buys_nothing() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import one, status_of

    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    agency = make_agency()
    agency.standing.active = False
    agency.standing.save()
    sale = agency.sale()
    deliver(sale)
    assert status_of(sale) is OrderStatus.FAILED
    assert one("select count(*) from orders where parent_order_no = %s", sale) == 0 and agency.wallet() == 10_000


def test_a_lost_job_is_noticed() -> None:
    from tests.support.agency import make_agency

    from chadan.delivery import reselling
    from chadan.delivery.dispatch import deliver

    agency = make_agency()
    sale = agency.sale()
    deliver(sale)
    purchase = agency.purchase_of(sale)
    assert purchase not in reselling.settled()
    agency.above.import_text("LOST-0001-CARD")
    deliver(purchase)
    assert purchase in reselling.settled()
    reselling.purchase_done(purchase)
    assert purchase not in reselling.settled()


def test_what_a_purchase_comes_to_while_a_case_is_open_on_its_sale_waits_for_the_cases_end() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import TEST, one, status_of

    from chadan.delivery import reselling
    from chadan.delivery.dispatch import deliver
    from chadan.orders import lifecycle
    from chadan.orders.states import OrderStatus

    agency = make_agency()
    agency.above.import_text("CASE-0001-CARD")
    sale = agency.sale()
    deliver(sale)
    purchase = agency.purchase_of(sale)
    lifecycle.open_after_sale(agency.shop.scope, sale, TEST, "where is it")
    deliver(purchase)
    reselling.purchase_done(purchase)
    assert status_of(sale) is OrderStatus.AFTER_SALE and purchase not in reselling.settled()
    lifecycle.close_after_sale(agency.shop.scope, sale, TEST, "it is on its way")
    deliver(sale)
    assert one("select count(*) from orders where parent_order_no = %s", sale) == 1
    assert purchase in reselling.settled()
    reselling.purchase_done(purchase)
    assert status_of(sale) is OrderStatus.DELIVERED


def test_many_sales_at_once_never_overdraw_the_wallet() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import in_threads, one

    from chadan.delivery.dispatch import deliver

    agency = make_agency(wallet=900 * 5 + 100)
    sales = [agency.sale() for _each in range(8)]
    in_threads(deliver, [sale for sale in sales for _click in range(2)], threads=8)
    bought = one(
        "select count(distinct parent_order_no) from orders where agent_id = %s and status = 1", agency.shop.merchant.pk
    )
    assert bought == 5 and agency.wallet() == 100
    assert one("select count(*) from orders where agent_id = %s", agency.shop.merchant.pk) == 5


def test_a_failed_sale_that_staff_tries_again_fails_again_or_is_bought() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import TEST, status_of

    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus
    from chadan.orders.transitions import transition
    from chadan.platform.scope import scoped

    def again() -> None:
        with scoped(agency.shop.scope) as session:
            transition(session, sale, OrderStatus.PROCESSING, actor=TEST, reason="again")
        deliver(sale)

    agency = make_agency()
    agency.standing.active = False
    agency.standing.save()
    sale = agency.sale()
    deliver(sale)
    again()
    assert status_of(sale) is OrderStatus.FAILED
    agency.standing.active = True
    agency.standing.save()
    again()
    assert status_of(sale) is OrderStatus.PROCESSING and status_of(agency.purchase_of(sale)) is OrderStatus.PAID
