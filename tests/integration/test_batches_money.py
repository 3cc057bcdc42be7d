"""Batches that move goods or money: each order through its own service, once, with what the preview said."""

from __future__ import annotations

import pytest

from chadan.platform.errors import Conflict, InvalidInput

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def till(database):
    from tests.support.paying import open_till

    return open_till()


@pytest.fixture
def bank():
    from tests.support.paying import BANK

    BANK.__init__()
    return BANK


def paid(till, bank, *states, **columns):
    from chadan.payments.facts import Source, apply_payment_fact, fact_of

    order_no = till.order(**columns)
    told = bank.pay(till.start(order_no, "paper"))
    assert apply_payment_fact(fact_of(till.channels["paper"], told, Source.QUERY), {"kind": "gateway"}) == "paid"
    for step in states:
        till.move(order_no, step)
    return order_no


def test_a_refund_states_what_goes_back_and_queues_each_order_once(till, bank):
    from tests.support.batched import outcome, ready, worked
    from tests.support.paying import PRICE, jobs

    whole, partly, unpaid, asked, back = (
        paid(till, bank),
        paid(till, bank, "delivered"),
        till.order(),
        paid(till, bank),
        paid(till, bank),
    )
    till.ask_refund(partly, 300)
    till.ask_refund(asked, PRICE)
    till.ask_refund(back, PRICE)
    from chadan.payments.tasks import refund

    refund(back, 1)
    numbers = [whole, partly, unpaid, asked, back]
    batch = ready(till.shop, "refund", numbers=numbers, role="finance", reason="stock ran out")
    assert (batch.total, batch.able, batch.able_amount) == (5, 2, 2 * PRICE - 300)
    worked(batch)
    assert outcome(batch) == {
        whole: ("done", ""),
        partly: ("done", ""),
        unpaid: ("skipped", "unpaid"),
        asked: ("skipped", "refunding"),
        back: ("skipped", "refunded"),
    }
    assert [one.amount for one in till.refunds(whole)] == [PRICE]
    assert [one.amount for one in till.refunds(partly)] == [300, PRICE - 300]
    assert len(jobs("payments.refund", whole)) == 1
    facts = [data for kind, data in till.told(whole) if kind == "refund.requested"]
    assert [(fact["cause"], fact["reason"]) for fact in facts] == [(batch.cause, "stock ran out")]
    from tests.support.people import acting

    from chadan.batches import services

    with pytest.raises(Conflict):
        services.undo(acting(batch.user), batch.pk)


def test_the_number_of_orders_has_to_be_typed(till, bank):
    from tests.support.batched import ready
    from tests.support.people import acting

    from chadan.batches import services

    batch = ready(till.shop, "refund", numbers=[paid(till, bank)], role="finance", reason="r")
    for typed in ("", "2", "yes", "1.0"):
        with pytest.raises(InvalidInput):
            services.confirm(acting(batch.user), batch.pk, typed)
    assert services.confirm(acting(batch.user), batch.pk, " 1 ").state == "running"
    assert services.confirm(acting(batch.user), batch.pk, "1").state == "running", "confirmed twice it runs once"


def test_the_page_asks_for_the_number_and_says_what_cannot_be_undone(till, bank):
    from django.test import Client
    from tests.support.batched import ready

    batch = ready(till.shop, "refund", numbers=[paid(till, bank), till.order()], role="finance", reason="r")
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(till.shop.staff["finance"])
    page = browser.get(f"/m/batches/{batch.pk}").content.decode()
    assert "Type 1 to confirm" in page and "1 orders, ¥98.00. This cannot be undone." in page
    assert "1 of 2: It is unpaid." in page
    wrong = browser.post(f"/m/batches/{batch.pk}/confirm", {"confirmed": "2"})
    assert wrong.status_code == 400 and "Type the number of orders, 1, to confirm." in wrong.content.decode()
    assert browser.post(f"/m/batches/{batch.pk}/confirm", {"confirmed": "1"}).status_code == 302
    assert "<progress" in browser.get(f"/m/batches/{batch.pk}").content.decode()


def test_an_order_whose_amount_changed_since_the_preview_is_left(till, bank):
    from tests.support.batched import outcome, ready, worked

    order_no = paid(till, bank)
    batch = ready(till.shop, "refund", numbers=[order_no], reason="r")
    till.ask_refund(order_no, 100)
    worked(batch)
    assert outcome(batch) == {order_no: ("skipped", "amount_changed")}
    assert [one.amount for one in till.refunds(order_no)] == [100]


def test_marking_delivered_takes_what_needs_no_cards(till, bank):
    from tests.support.batched import outcome, owner_rows, ready, worked
    from tests.support.stock_ground import make_product

    from chadan.orders.states import DeliveryKind

    topup = make_product(till.shop.merchant, DeliveryKind.TOPUP).version_id
    cards = make_product(till.shop.merchant, DeliveryKind.CARD).version_id
    given = {"version_id": topup}
    open_, processing = paid(till, bank, **given), paid(till, bank, "processing", **given)
    unpaid, failed, gone = (
        till.order(**given),
        paid(till, bank, "failed", **given),
        paid(till, bank, "delivered", **given),
    )
    sold = paid(till, bank, version_id=cards)
    numbers = [open_, processing, unpaid, failed, gone, sold]
    batch = ready(till.shop, "deliver", numbers=numbers, role="support")
    assert batch.able == 2
    worked(batch)
    assert outcome(batch) == {
        open_: ("done", ""),
        processing: ("done", ""),
        unpaid: ("skipped", "unpaid"),
        failed: ("skipped", "failed"),
        gone: ("skipped", "delivered"),
        sold: ("skipped", "needs_cards"),
    }
    assert till.state(open_)[0] == "delivered"
    told = dict(till.told(open_))["order.delivered"]
    assert (told["cause"], told["reason"]) == (batch.cause, "delivered by hand")
    [(actor,)] = owner_rows(
        "select (actor ->> 'id')::bigint from order_events where order_no = %s and type = 'order.delivered'", open_
    )
    assert actor == till.shop.staff["support"].pk


def test_retrying_defers_each_delivery_and_leaves_what_is_over(till, bank):
    from tests.support.batched import outcome, owner_rows, ready, worked
    from tests.support.paying import jobs

    failed, waiting, over = paid(till, bank, "failed"), paid(till, bank), paid(till, bank, "delivered")
    before = len(jobs("delivery.deliver", waiting))
    batch = ready(till.shop, "retry", numbers=[failed, waiting, over], role="support")
    till.move(waiting, "processing")
    worked(batch)
    assert outcome(batch) == {failed: ("done", ""), waiting: ("done", ""), over: ("skipped", "delivered")}
    assert till.state(failed)[0] == "processing"
    assert len(jobs("delivery.deliver", waiting)) == before + 1
    causes = owner_rows(
        "select biz ->> 'cause' from order_events where order_no = %s and type = 'delivery.retried'", waiting
    )
    assert causes == [(batch.cause,)]


def test_an_order_that_moved_on_after_the_preview_is_left_with_its_reason(till, bank):
    from tests.support.batched import outcome, ready, worked

    moved, still = paid(till, bank, "failed"), paid(till, bank, "failed")
    batch = ready(till.shop, "retry", numbers=[moved, still])
    till.move(moved, "refunded")
    worked(batch)
    assert outcome(batch) == {moved: ("skipped", "refunded"), still: ("done", "")}
    assert (batch.done, batch.skipped) == (1, 1)
