"""Suppliers' reports: bound to their connection and order, taken once, refused when forged."""

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


def slow_order(suppliers: Any, shop: Any) -> tuple[int, Any]:
    """An order the supplier works at, and the supplier's side of it."""
    from chadan.delivery.dispatch import deliver

    suppliers.fault("slow", protocol="dujiao")
    order_no = shop.order()
    deliver(order_no)
    return order_no, suppliers.orders("dujiao")[-1]


def report(supplier: Any, theirs: Any, secret: str, **changes: Any) -> Any:
    """What a supplier sends of an order, signed with `secret`."""
    from django.test import Client
    from tests.support.supplied import dujiao_report

    filled = {"fulfillment": {"status": "delivered", "payload": "THE-CARD"}}
    return dujiao_report(Client(), supplier.pk, supplier.settings["api_key"], theirs, secret, **{**filled, **changes})


def test_a_report_delivers_once_and_a_repeat_is_answered_alike(suppliers: Any) -> None:
    from tests.support.stock_ground import one, status_of
    from tests.support.supplied import connect, source, supplied_shop

    from chadan.catalog.models import Supplier
    from chadan.delivery.models import SupplierCallback
    from chadan.delivery.supplier_callbacks import body_of
    from chadan.orders.reveal import reveal_cards
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "dujiao")
    source(shop.product, connect(shop, suppliers, "dujiao"), priority=1)
    order_no, theirs = slow_order(suppliers, shop)
    assert status_of(order_no) is OrderStatus.PROCESSING
    supplier = Supplier.objects.get(pk=one("select supplier_id from order_deliveries where order_no = %s", order_no))
    secret = suppliers.desk.dujiao.shop.key
    answers = [report(supplier, theirs, secret) for _copy in range(3)]
    assert [(each.status_code, each.content) for each in answers] == [(200, b'{"ok":true}')] * 3
    assert status_of(order_no) is OrderStatus.DELIVERED and reveal_cards(shop.owner, order_no) == ["THE-CARD"]
    assert one("select count(*) from order_events where order_no = %s and type = 'order.delivered'", order_no) == 1
    kept = list(SupplierCallback.objects.using("owner").filter(supplier_id=supplier.pk).order_by("pk"))
    assert [each.verdict for each in kept] == ["taken", "repeated", "repeated"]
    assert "THE-CARD" in body_of(kept[0]) and b"THE-CARD" not in bytes(kept[0].sealed)


def test_a_supplier_that_reports_anothers_order_hears_404_and_changes_nothing(suppliers: Any) -> None:
    from tests.support.stock_ground import one, rows, status_of
    from tests.support.supplied import connect, supplied_shop

    from chadan.catalog.models import Supplier
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "dujiao")
    order_no, theirs = slow_order(suppliers, shop)
    ours = Supplier.objects.get(pk=one("select supplier_id from order_deliveries where order_no = %s", order_no))
    secret = suppliers.desk.dujiao.shop.key
    beside = connect(shop, suppliers, "dujiao")
    elsewhere = connect(supplied_shop(suppliers, "acg"), suppliers, "dujiao")

    def state() -> list[Any]:
        return rows(
            "select o.xmin::text, d.xmin::text, (select count(*) from order_events e where e.order_no = o.order_no),"
            " (select count(*) from external_refs r where r.order_no = o.order_no)"
            " from orders o join order_deliveries d using (order_no, home) where o.order_no = %s",
            order_no,
        )

    before = state()
    nobody = type(theirs)(1, "c-nobody", theirs.good, 1, 1, {})
    other_number = {"order_id": 12345}
    answers = [
        report(beside, theirs, secret),
        report(beside, theirs, secret, downstream_order_no=""),
        report(elsewhere, theirs, secret),
        report(ours, nobody, secret),
        report(ours, theirs, secret, **other_number),
    ]
    assert {(each.status_code, each.content) for each in answers} == {(404, b'{"ok":false}')}
    assert report(ours, theirs, "wrong secret").status_code == 401
    assert state() == before and status_of(order_no) is OrderStatus.PROCESSING


def test_a_cancelled_purchase_goes_to_the_next_supplier(suppliers: Any) -> None:
    from tests.support.stock_ground import one, status_of
    from tests.support.supplied import supplied_shop

    from chadan.catalog.models import Supplier
    from chadan.delivery import procurement
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "dujiao", "acg")
    order_no, theirs = slow_order(suppliers, shop)
    supplier = Supplier.objects.get(pk=one("select supplier_id from order_deliveries where order_no = %s", order_no))
    answer = report(supplier, theirs, suppliers.desk.dujiao.shop.key, status="canceled", fulfillment=None)
    assert answer.status_code == 200
    procurement.first_call(order_no, 2)
    procurement.first_call(order_no, 2)
    assert status_of(order_no) is OrderStatus.DELIVERED
    assert one("select supplier_no from order_deliveries where order_no = %s and seq = 2", order_no) == str(
        suppliers.orders("acg")[-1].number
    )


def test_the_sandbox_reports_twice_and_wrongly_on_command(suppliers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.served import pages_served
    from tests.support.stock_ground import one, status_of
    from tests.support.supplied import supplied_shop

    from chadan.delivery import connections
    from chadan.orders.states import OrderStatus

    with pages_served() as url:
        monkeypatch.setattr(connections, "callback_url", lambda supplier: f"{url}/supply/notify/{supplier.pk}/")
        shop = supplied_shop(suppliers, "dujiao")
        other, _theirs = slow_order(suppliers, supplied_shop(suppliers, "dujiao"))
        order_no, theirs = slow_order(suppliers, shop)
        suppliers.fault("wrong_order", protocol="dujiao")
        assert suppliers.desk.dujiao.report(theirs) == [404]
        assert (status_of(order_no), status_of(other)) == (OrderStatus.PROCESSING, OrderStatus.PROCESSING)
        suppliers.fault("duplicate", protocol="dujiao")
        suppliers.desk.dujiao.shop.finish(theirs)
        assert suppliers.desk.dujiao.report(theirs) == [200, 200]
    assert status_of(order_no) is OrderStatus.DELIVERED
    assert one("select count(*) from order_events where order_no = %s and type = 'order.delivered'", order_no) == 1


def test_goods_that_come_while_a_case_is_open_wait_for_its_end(suppliers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.stock_ground import TEST, one, status_of
    from tests.support.supplied import connect, purchases, source, supplied_shop

    from chadan.catalog.models import Supplier
    from chadan.delivery import procurement
    from chadan.orders import lifecycle
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "dujiao")
    source(shop.product, connect(shop, suppliers, "dujiao"), priority=1)
    order_no, theirs = slow_order(suppliers, shop)
    before = len(suppliers.orders("dujiao"))
    monkeypatch.setattr(procurement, "GRACE", timedelta(0))
    supplier = Supplier.objects.get(pk=one("select supplier_id from order_deliveries where order_no = %s", order_no))
    lifecycle.open_after_sale(shop.scope, order_no, TEST, "where is it")
    suppliers.desk.dujiao.shop.finish(theirs)
    assert report(supplier, theirs, suppliers.desk.dujiao.shop.key).status_code == 200
    procurement.follow(order_no, 1)
    assert status_of(order_no) is OrderStatus.AFTER_SALE and purchases(order_no) == [(1, True, 1)]
    lifecycle.close_after_sale(shop.scope, order_no, TEST, "it is on its way")
    procurement.start(order_no)
    procurement.follow(order_no, 1)
    assert status_of(order_no) is OrderStatus.DELIVERED and len(suppliers.orders("dujiao")) == before


@pytest.mark.parametrize("ended", ["refunded", "given up", "by hand"])
def test_what_a_supplier_charges_for_an_order_that_has_ended_is_booked(
    suppliers: Any, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its report, or by asking it on; and the order costs so much."""
    from tests.support.paying import owner_run
    from tests.support.stock_ground import TEST, one, rows
    from tests.support.supplied import cost_of, supplied_shop

    from chadan.catalog.models import Supplier
    from chadan.delivery import manual, procurement
    from chadan.orders.states import OrderStatus
    from chadan.orders.transitions import transition
    from chadan.platform.scope import scoped

    shop = supplied_shop(suppliers, "dujiao")
    order_no, theirs = slow_order(suppliers, shop)
    supplier = Supplier.objects.get(pk=one("select supplier_id from order_deliveries where order_no = %s", order_no))
    monkeypatch.setattr(procurement, "GRACE", timedelta(0))
    if ended == "refunded":
        with scoped(shop.scope) as session:
            for step in (OrderStatus.FAILED, OrderStatus.REFUNDED):
                transition(session, order_no, step, actor=TEST, reason="a test")
    elif ended == "given up":
        manual.give_up(shop.owner, order_no, "not to be had")
    else:
        manual.by_hand(shop.owner, order_no, "FROM-ELSEWHERE-1")
    owner_run("update orders set cost = 0 where order_no = %s", order_no)
    suppliers.desk.dujiao.shop.finish(theirs)
    if ended == "refunded":
        procurement.follow(order_no, 1)
        procurement.follow(order_no, 1)
    else:
        secret = suppliers.desk.dujiao.shop.key
        assert [report(supplier, theirs, secret).status_code for _copy in range(2)] == [200, 200]
    assert cost_of(order_no) == 950
    booked = rows("select kind, amount from ledger_postings where order_no = %s", order_no)
    assert booked == [("purchase", 950)]
    assert one("select count(*) from order_events where order_no = %s and type = 'supply.too_late'", order_no) == 1
