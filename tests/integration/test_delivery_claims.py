"""Claims: all or nothing, split, never oversold, woken by an import."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


def test_eight_hundred_buyers_click_twice_on_five_hundred_cards() -> None:
    from tests.support.stock_ground import in_threads, make_card_shop, one, rows

    from chadan.delivery.dispatch import deliver

    shop = make_card_shop()
    shop.import_text(*(f"FLASH-{card:04d}-SALE" for card in range(500)))
    orders = in_threads(lambda _buyer: shop.order(), range(800))
    in_threads(deliver, [order_no for order_no in orders for _click in range(2)])
    delivered = one("select count(*) from orders where merchant_id = %s and status = 3", shop.merchant.pk)
    cards = rows(
        "select count(*), count(distinct card_id), count(distinct order_no) from order_cards where merchant_id = %s",
        shop.merchant.pk,
    )
    assert delivered == 500 and cards == [(500, 500, 500)]
    waiting = one(
        "select count(*) from orders o join order_deliveries d using (order_no, home)"
        " where o.merchant_id = %s and o.status = 1 and d.status = 0",
        shop.merchant.pk,
    )
    assert waiting == 300


def test_several_cards_are_all_or_nothing_and_an_import_wakes_who_waits_longest() -> None:
    from tests.support.stock_ground import jobs, make_card_shop, one, rows, status_of

    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = make_card_shop()
    shop.import_text("ONLY-0001-CARD", "ONLY-0002-CARD")
    first, second = sorted((shop.order(3), shop.order(3)))
    for order_no in (first, second):
        deliver(order_no)
        deliver(order_no)
        assert status_of(order_no) is OrderStatus.PAID
    assert one("select count(*) from stock_cards where product_id = %s and state = 0", shop.product.pk) == 2
    row = rows(
        "select d.status, d.reason, d.attempts, d.due_at - o.paid_at = interval '10 min'"
        " from order_deliveries d join orders o using (order_no, home) where order_no = %s",
        first,
    )
    assert row == [(0, "There are not enough cards in stock.", 2, True)]
    shop.import_text("ONLY-0003-CARD")
    assert (jobs("delivery.deliver", first), jobs("delivery.deliver", second)) == (1, 0)
    deliver(first)
    assert status_of(first) is OrderStatus.DELIVERED
    assert rows("select seq, status from order_deliveries where order_no = %s", first) == [(1, 2)]


def test_a_split_product_delivers_what_there_is_and_the_rest_later() -> None:
    from tests.support.stock_ground import make_card_shop, rows, status_of

    from chadan.delivery.dispatch import deliver
    from chadan.orders.reveal import reveal_cards
    from chadan.orders.states import OrderStatus

    shop = make_card_shop(split_delivery=True)
    shop.import_text("PART-0001-CARD", "PART-0002-CARD")
    order_no = shop.order(3)
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.PROCESSING
    assert len(reveal_cards(shop.owner, order_no)) == 2
    shop.import_text("PART-0003-CARD", "PART-0004-CARD")
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.DELIVERED
    assert rows("select line from order_cards where order_no = %s order by line", order_no) == [(1,), (2,), (3,)]


def test_a_card_that_was_sold_withdrawn_or_delivered_by_hand_is_never_stocked_again() -> None:
    from tests.support.stock_ground import TEST, make_card_shop, make_product

    from chadan.delivery import results, stock
    from chadan.delivery.dispatch import deliver
    from chadan.platform.scope import scoped

    shop = make_card_shop()
    shop.import_text("KNOWN-SOLD-0001")
    sold = shop.order()
    deliver(sold)
    shop.import_text("KNOWN-GONE-0002")
    assert stock.withdraw(shop.owner, shop.product.pk) == 1
    by_hand = shop.order()
    with scoped(shop.scope) as session:
        results.delivered(session, by_hand, cards=["KNOWN-HAND-0003"], actor=TEST, reason="by hand", cause="hand")
    again = shop.import_text("KNOWN-SOLD-0001", "KNOWN-GONE-0002", "KNOWN-HAND-0003", "KNOWN-NEW-0004")
    assert (again.added, again.duplicate, again.repeated) == (1, 3, [1, 2, 3])
    places = [stock.find_card(shop.owner, card) for card in ("KNOWN-SOLD-0001", "KNOWN-HAND-0003", "KNOWN-GONE-0002")]
    assert [(place.state, place.order_no) for place in places if place] == [
        ("sold", sold),
        ("delivered", by_hand),
        ("withdrawn", None),
    ]
    assert stock.find_card(shop.owner, "NEVER-SEEN") is None
    other = make_product(shop.merchant, title="another")
    assert stock.import_cards(shop.owner, other.pk, stock.texts(["KNOWN-NEW-0004"])).duplicate == 1


def test_what_is_delivered_twice_for_one_cause_is_delivered_once() -> None:
    from tests.support.stock_ground import TEST, make_card_shop, one

    from chadan.delivery import results
    from chadan.platform.scope import scoped

    shop = make_card_shop()
    order_no = shop.order()
    done = []
    for _ in range(2):
        with scoped(shop.scope) as session:
            done.append(
                results.delivered(
                    session, order_no, cards=["SUPPLIER-CARD-1"], actor=TEST, reason="r", cause="supplier:1", cost=700
                )
            )
    assert done == [True, False]
    assert one("select count(*) from order_cards where order_no = %s", order_no) == 1
    assert one("select cost from orders where order_no = %s", order_no) == 700


def test_a_late_payment_without_stock_goes_to_the_refund_queue_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.stock_ground import TEST, make_card_shop, rows

    from chadan.delivery.dispatch import LATE, deliver
    from chadan.orders.states import OrderStatus
    from chadan.orders.transitions import transition
    from chadan.payments import refunds
    from chadan.platform.scope import scoped

    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(refunds, "request", lambda _session, *what: asked.append(what))
    shop = make_card_shop()
    order_no = shop.order(paid=False)
    with scoped(shop.scope) as session:
        transition(session, order_no, OrderStatus.CANCELLED, actor=TEST, reason="expired")
        transition(session, order_no, OrderStatus.PAID, actor=TEST, reason="late", cause="l", changes={"paid": 1000})
    deliver(order_no)
    deliver(order_no)
    assert [what[:3] for what in asked] == [(order_no, 1000, LATE)]
    assert rows("select status, reason from order_deliveries where order_no = %s", order_no) == [(3, LATE)]


def test_goods_without_a_source_wait_for_staff() -> None:
    from tests.support.stock_ground import make_card_shop, make_product, rows, status_of

    from chadan.delivery.dispatch import BY_HAND, deliver
    from chadan.orders.states import DeliveryKind, OrderStatus

    shop = make_card_shop()
    product = make_product(shop.merchant, DeliveryKind.TOPUP)
    order_no = shop.order(product=product)
    deliver(order_no)
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.PROCESSING
    assert rows("select kind, status, reason from order_deliveries where order_no = %s", order_no) == [(1, 0, BY_HAND)]


def test_low_stock_is_told_once_until_stocked_again() -> None:
    from django.core import mail
    from tests.support.stock_ground import make_card_shop, one

    from chadan.delivery.dispatch import deliver
    from chadan.delivery.tasks import warn_low_stock

    shop = make_card_shop(low_stock=3)
    shop.import_text(*(f"LOW-STOCK-{card:04d}" for card in range(4)))
    for _sale in range(3):
        deliver(shop.order())
    told = "select count(*) from audit_events where type = 'stock.low' and merchant_id = %s"
    assert one(told, shop.merchant.pk) == 1
    mail.outbox.clear()
    warn_low_stock(product_id=shop.product.pk)
    assert len(mail.outbox) == 1 and "点卡 10 元" in mail.outbox[0].subject
    shop.import_text(*(f"LOW-STOCK-{card:04d}" for card in range(10, 14)))
    for _sale in range(3):
        deliver(shop.order())
    assert one(told, shop.merchant.pk) == 2


def test_a_delivery_that_never_works_is_recorded_as_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.stock_ground import make_card_shop, rows, status_of

    from chadan.delivery import dispatch, stuck, tasks
    from chadan.orders.states import OrderStatus

    def broken(_order_no: int) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(dispatch, "deliver", broken)
    shop = make_card_shop()
    order_no, other = shop.order(), shop.order()

    class Context:
        def __init__(self, attempts: int) -> None:
            self.job = type("Job", (), {"attempts": attempts})()

    for tries in range(tasks.ATTEMPTS - 1):
        with pytest.raises(RuntimeError):
            tasks.deliver.func(Context(tries), order_no=order_no)
    tasks.deliver.func(Context(tasks.ATTEMPTS - 1), order_no=order_no)
    tasks.deliver.func(Context(tasks.ATTEMPTS), order_no=other)
    found = rows(
        "select status, reason from order_deliveries where order_no in (%s, %s) order by reason", order_no, other
    )
    assert found == [(3, stuck.INTERNAL), (3, stuck.DIED)]
    assert status_of(order_no) is OrderStatus.PAID
    assert rows("select count(*) from order_events where type = 'delivery.stuck' and order_no = %s", order_no) == [(1,)]


def test_a_missed_wake_up_is_made_good_by_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.stock_ground import jobs, make_card_shop, status_of

    from chadan.delivery import waiting
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = make_card_shop()
    small, large = shop.order(), shop.order(3)
    for order_no in (small, large):
        deliver(order_no)
    with monkeypatch.context() as patch:
        patch.setattr(waiting, "stocked", lambda *_: 0)
        shop.import_text("SWEPT-CARD-0001", "SWEPT-CARD-0002")
    waiting.sweep()
    waiting.sweep()
    assert (jobs("delivery.deliver", small), jobs("delivery.deliver", large)) == (1, 0)
    deliver(small)
    assert status_of(small) is OrderStatus.DELIVERED


def test_a_product_with_a_source_is_left_to_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.stock_ground import make_card_shop, make_product, one

    from chadan.catalog.models import ProductSource, Supplier
    from chadan.delivery.dispatch import deliver

    asked: list[tuple[str, int]] = []
    for room in ("procurement", "reselling"):
        module: Any = ModuleType(f"chadan.delivery.{room}")
        module.start = lambda order_no, room=room: asked.append((room, order_no))
        monkeypatch.setitem(sys.modules, f"chadan.delivery.{room}", module)
        monkeypatch.setattr("chadan.delivery." + room, module, raising=False)
    shop = make_card_shop()
    shop.import_text("NOT-FROM-STOCK")
    supplier = Supplier.objects.create(merchant=shop.merchant, home=shop.merchant.home, name="S")
    ProductSource.objects.create(product=shop.product, home=shop.merchant.home, supplier=supplier, ref="1")
    resold = make_product(shop.merchant, title="resold", upstream=make_product(make_card_shop().merchant))
    first, second = shop.order(), shop.order(product=resold)
    deliver(first)
    deliver(second)
    assert asked == [("procurement", first), ("reselling", second)]
    assert one("select count(*) from stock_cards where product_id = %s and state = 0", shop.product.pk) == 1
