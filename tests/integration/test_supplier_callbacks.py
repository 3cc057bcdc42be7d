"""Suppliers' reports: bound to their connection and order, taken once, refused when forged."""

from __future__ import annotations

from collections.abc import Iterator
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
