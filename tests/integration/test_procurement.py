"""Purchases from suppliers that really answer, time out, refuse, oversell and report on loopback: each is bought once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


@pytest.fixture(scope="module")
def suppliers(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.support.supplied import suppliers_running

    with suppliers_running(tmp_path_factory.mktemp("suppliers")) as running:
        yield running


@pytest.fixture(autouse=True)
def calm(suppliers: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No faults left over, and no waiting for a call that may be under way."""
    from chadan.delivery import procurement

    monkeypatch.setattr(procurement, "GRACE", timedelta(0))
    yield
    suppliers.desk.faults.clear()


@pytest.mark.parametrize("protocol", ["acg", "dujiao"])
def test_a_card_is_bought_and_delivered_with_what_it_cost(suppliers: Any, protocol: str) -> None:
    from tests.support.stock_ground import jobs, rows, status_of
    from tests.support.supplied import cost_of, supplied_shop

    from chadan.delivery.dispatch import deliver
    from chadan.orders.reveal import reveal_cards
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, protocol)
    order_no = shop.order(2)
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.DELIVERED
    theirs = suppliers.orders(protocol)[-1]
    assert "\n".join(reveal_cards(shop.owner, order_no)) == theirs.secret
    assert cost_of(order_no) == 1900
    assert jobs("delivery.follow", order_no) == 1
    found = rows(
        "select d.request_no = %s, d.supplier_no = %s, d.cost, d.status from order_deliveries d where order_no = %s",
        *(theirs.request_no, str(theirs.number), order_no),
    )
    assert found == [(True, True, 1900, 2)]
    refs = rows("select kind, ref from external_refs where order_no = %s and kind in (3, 6) order by kind", order_no)
    assert refs == [(3, str(theirs.number)), (6, theirs.request_no)]
    deliver(order_no)
    assert [each.request_no for each in suppliers.orders(protocol)].count(theirs.request_no) == 1


def test_a_supplier_that_breaks_off_after_charging_has_one_order_in_the_end(suppliers: Any) -> None:
    from tests.support.stock_ground import status_of
    from tests.support.supplied import purchases, supplied_shop

    from chadan.delivery import procurement
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "dujiao", "acg")
    before = len(suppliers.orders("dujiao"))
    suppliers.fault("late", protocol="dujiao")
    order_no = shop.order()
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.PROCESSING
    assert purchases(order_no) == [(1, False, 1)]
    deliver(order_no)
    procurement.follow(order_no, 1)
    assert status_of(order_no) is OrderStatus.DELIVERED
    assert len(suppliers.orders("dujiao")) == before + 1
    procurement.follow(order_no, 1)
    assert purchases(order_no) == [(2, True, 2)]


def test_acg_cannot_be_asked_by_our_number_so_a_person_is_never_bought_twice(suppliers: Any) -> None:
    from tests.support.stock_ground import one, status_of
    from tests.support.supplied import purchases, supplied_shop

    from chadan.delivery import parked, procurement
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "acg", "dujiao")
    before = len(suppliers.orders("acg")), len(suppliers.orders("dujiao"))
    suppliers.fault("late", protocol="acg")
    order_no = shop.order()
    deliver(order_no)
    procurement.follow(order_no, 1)
    procurement.follow(order_no, 1)
    deliver(order_no)
    assert (len(suppliers.orders("acg")), len(suppliers.orders("dujiao"))) == (before[0] + 1, before[1])
    assert status_of(order_no) is OrderStatus.PROCESSING and purchases(order_no) == [(0, False, 2)]
    assert "already exists" in one("select reason from order_deliveries where order_no = %s", order_no)
    [waiting] = parked.waiting(shop.owner)
    assert waiting.order_no == order_no
    parked.bought(shop.owner, order_no, 1, str(suppliers.orders("acg")[-1].number))
    assert status_of(order_no) is OrderStatus.DELIVERED and parked.waiting(shop.owner) == []


def test_staff_that_finds_nothing_was_bought_sends_it_to_the_next_supplier(suppliers: Any) -> None:
    from tests.support.stock_ground import status_of
    from tests.support.supplied import supplied_shop

    from chadan.delivery import parked, procurement
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus
    from chadan.platform.errors import Conflict

    shop = supplied_shop(suppliers, "acg", "dujiao")
    suppliers.fault("late", protocol="acg")
    order_no = shop.order()
    deliver(order_no)
    procurement.follow(order_no, 1)
    parked.not_bought(shop.owner, order_no, 1)
    procurement.first_call(order_no, 2)
    assert status_of(order_no) is OrderStatus.DELIVERED
    with pytest.raises(Conflict):
        parked.not_bought(shop.owner, order_no, 1)


@pytest.mark.parametrize("protocol", ["acg", "dujiao"])
def test_killed_between_the_number_and_the_call_it_is_resumed_and_bought_once(
    suppliers: Any, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    from tests.support.stock_ground import jobs, status_of
    from tests.support.supplied import supplied_shop

    from chadan.delivery import procurement
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    class Killed(BaseException):
        pass

    def die(*_args: object) -> None:
        raise Killed

    shop = supplied_shop(suppliers, protocol)
    order_no = shop.order()
    before = len(suppliers.orders(protocol))
    with monkeypatch.context() as patch:
        patch.setattr(procurement, "_answer", die)
        with pytest.raises(Killed):
            deliver(order_no)
    assert jobs("delivery.follow", order_no) == 1
    deliver(order_no)
    assert len(suppliers.orders(protocol)) == before
    procurement.follow(order_no, 1)
    assert status_of(order_no) is OrderStatus.DELIVERED
    assert len(suppliers.orders(protocol)) == before + 1


def test_a_refusal_goes_to_the_next_supplier_and_the_last_one_fails_the_order(suppliers: Any) -> None:
    from tests.support.stock_ground import one, rows, status_of
    from tests.support.supplied import cost_of, supplied_shop

    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "acg", "dujiao")
    suppliers.fault("sold_out", protocol="acg")
    order_no = shop.order()
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.DELIVERED and cost_of(order_no) == 950
    found = rows("select status, reason from order_deliveries where order_no = %s order by seq", order_no)
    assert found == [(3, "库存不足"), (2, "")]
    assert one("select count(distinct request_no) from order_deliveries where order_no = %s", order_no) == 2

    suppliers.fault("refuse", protocol="acg")
    suppliers.fault("refuse", protocol="dujiao")
    other = shop.order()
    deliver(other)
    assert status_of(other) is OrderStatus.FAILED
    found = rows("select status, reason from order_deliveries where order_no = %s order by seq", other)
    assert found == [(3, "该商品暂停销售"), (3, "该商品暂停销售")]
    said = one("select biz ->> 'reason' from order_events where order_no = %s and type = 'order.failed'", other)
    assert said == "The goods could not be delivered."


def test_an_apology_is_no_card(suppliers: Any) -> None:
    from tests.support.stock_ground import one, status_of
    from tests.support.supplied import supplied_shop

    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    for protocol in ("acg", "dujiao"):
        shop = supplied_shop(suppliers, protocol)
        suppliers.fault("apology", protocol=protocol)
        order_no = shop.order()
        deliver(order_no)
        assert status_of(order_no) is OrderStatus.PROCESSING
        assert one("select count(*) from order_cards where order_no = %s", order_no) == 0
        assert one("select status from order_deliveries where order_no = %s", order_no) == 0


def test_after_five_silences_nothing_is_bought_there_until_it_cooled_down(
    suppliers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.stock_ground import jobs, rows, status_of
    from tests.support.supplied import supplied_shop

    from chadan.catalog.models import Supplier
    from chadan.delivery import connections
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "dujiao")
    suppliers.fault("error", protocol="dujiao", times=0)
    for _failure in range(connections.OPEN_AFTER):
        deliver(shop.order())
    supplier = Supplier.objects.get(merchant=shop.merchant)
    assert supplier.failures == 5 and "500" in supplier.last_error and not connections.available(supplier)
    suppliers.desk.faults.clear()
    order_no = shop.order()
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.PAID and jobs("delivery.deliver", order_no) == 1
    assert rows("select status, request_no from order_deliveries where order_no = %s", order_no) == [(0, "")]
    monkeypatch.setattr(connections, "COOLING", timedelta(0))
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.DELIVERED
    supplier.refresh_from_db()
    assert (supplier.failures, supplier.last_error) == (0, "")


def test_a_supplier_nobody_answers_at_was_certainly_not_asked(suppliers: Any) -> None:
    from tests.support.stock_ground import status_of
    from tests.support.supplied import purchases, supplied_shop

    from chadan.catalog.models import Supplier
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "acg", "dujiao")
    Supplier.objects.filter(merchant=shop.merchant, protocol="acg").update(base_url="http://127.0.0.1:9")
    order_no = shop.order()
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.DELIVERED
    assert purchases(order_no) == [(3, False, 1), (2, True, 1)]


def test_a_slow_top_up_is_asked_about_until_it_is_done(suppliers: Any) -> None:
    from tests.support.stock_ground import CardShop, make_product, one, status_of
    from tests.support.supplied import connect, source, supplied_shop

    from chadan.delivery import procurement
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import DeliveryKind, OrderStatus

    base = supplied_shop(suppliers, "acg")
    product = make_product(base.merchant, DeliveryKind.TOPUP, title="话费")
    source(product, connect(base, suppliers, "acg"), ref="3")
    shop = CardShop(base.merchant, base.owner, base.buyer, product)
    suppliers.fault("slow", protocol="acg")
    order_no = shop.order()
    deliver(order_no)
    procurement.follow(order_no, 1)
    assert status_of(order_no) is OrderStatus.PROCESSING
    suppliers.desk.acg.shop.finish(suppliers.orders("acg")[-1])
    procurement.follow(order_no, 1)
    assert status_of(order_no) is OrderStatus.DELIVERED
    assert one("select count(*) from order_cards where order_no = %s", order_no) == 0


def test_a_purchase_is_asked_about_by_one_process_and_not_while_a_call_may_be_under_way(
    suppliers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.stock_ground import in_threads, status_of
    from tests.support.supplied import purchases, supplied_shop

    from chadan.delivery import procurement
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "dujiao")
    suppliers.fault("deaf", protocol="dujiao")
    order_no = shop.order()
    before = len(suppliers.orders("dujiao"))
    deliver(order_no)
    monkeypatch.setattr(procurement, "GRACE", timedelta(seconds=17))
    procurement.follow(order_no, 1)
    assert purchases(order_no) == [(1, False, 1)] and len(suppliers.orders("dujiao")) == before
    monkeypatch.setattr(procurement, "GRACE", timedelta(milliseconds=1))
    in_threads(lambda _each: procurement.follow(order_no, 1), range(8), threads=8)
    assert status_of(order_no) is OrderStatus.DELIVERED and len(suppliers.orders("dujiao")) == before + 1


def test_a_process_that_was_held_up_leaves_the_call_to_the_next(
    suppliers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.stock_ground import status_of
    from tests.support.supplied import supplied_shop

    from chadan.delivery import procurement
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "acg")
    order_no = shop.order()
    before = len(suppliers.orders("acg"))
    with monkeypatch.context() as patch:
        patch.setattr(procurement, "FRESH", -1.0)
        deliver(order_no)
    assert len(suppliers.orders("acg")) == before
    procurement.follow(order_no, 1)
    assert status_of(order_no) is OrderStatus.DELIVERED and len(suppliers.orders("acg")) == before + 1


def test_a_failed_order_that_staff_tries_again_asks_every_supplier_again(suppliers: Any) -> None:
    from tests.support.stock_ground import TEST, rows, status_of
    from tests.support.supplied import supplied_shop

    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus
    from chadan.orders.transitions import transition
    from chadan.platform.scope import scoped

    shop = supplied_shop(suppliers, "acg", "dujiao")
    for protocol in ("acg", "dujiao", "acg"):
        suppliers.fault("refuse", protocol=protocol)
    order_no = shop.order()
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.FAILED
    with scoped(shop.scope) as session:
        transition(session, order_no, OrderStatus.PROCESSING, actor=TEST, reason="again")
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.DELIVERED
    found = rows("select status from order_deliveries where order_no = %s order by seq", order_no)
    assert found == [(3,), (3,), (3,), (2,)]
