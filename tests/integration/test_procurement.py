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
