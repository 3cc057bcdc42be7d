"""Money that goes back: once, the way it came, and never more than came."""

from __future__ import annotations

import pytest

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


def paid(till, bank, channel="paper", state=(), **columns):
    """A paid order, moved on through `state`."""
    from chadan.payments.facts import Source, apply_payment_fact, fact_of

    order_no = till.order(**columns)
    told = bank.pay(till.start(order_no, channel))
    assert apply_payment_fact(fact_of(till.channels[channel], told, Source.QUERY), {"kind": "gateway"}) == "paid"
    for step in state:
        till.move(order_no, step)
    return order_no


def run(order_no, seq=1):
    from chadan.payments.tasks import refund

    refund(order_no, seq)


def standing(till, order_no):
    return [(one.amount, str(one.status)) for one in till.refunds(order_no)]


@pytest.mark.parametrize(
    ("states", "way"),
    [
        ((), ["order.refunded"]),
        (("processing",), ["order.failed", "order.refunded"]),
        (("failed",), ["order.refunded"]),
        (("delivered",), ["order.after_sale", "order.refunded"]),
        (("delivered", "completed"), ["order.after_sale", "order.refunded"]),
        (("delivered", "after_sale"), ["order.refunded"]),
    ],
)
def test_a_whole_refund_ends_in_refunded_from_wherever_the_order_is(till, bank, states, way):
    from tests.support.paying import PRICE, jobs

    order_no = paid(till, bank, state=states)
    seq = till.ask_refund(order_no, PRICE)
    assert len(jobs("payments.refund", order_no)) == 1
    run(order_no, seq)
    run(order_no, seq)
    assert till.state(order_no) == ("refunded", PRICE, PRICE)
    assert till.events(order_no)[-len(way) :] == way
    assert len(bank.sent) == 1
    assert [kind for kind, _ in till.ledger(order_no)] == ["payment", "refund"]
    assert str(till.attempts(order_no)[0].status) == "refunded"


def test_a_partial_refund_keeps_the_state_and_no_more_goes_back_than_came(till, bank):
    from tests.support.paying import PRICE

    from chadan.platform.errors import InvalidInput

    order_no = paid(till, bank)
    till.ask_refund(order_no, 300)
    for amount in (PRICE - 299, 0, -1):
        with pytest.raises(InvalidInput):
            till.ask_refund(order_no, amount)
    with pytest.raises(InvalidInput):
        till.ask_refund(order_no, 1, " ")
    run(order_no)
    assert till.state(order_no) == ("paid", PRICE, 300)
    run(order_no, till.ask_refund(order_no, PRICE - 300))
    assert till.state(order_no) == ("refunded", PRICE, PRICE)
    with pytest.raises(InvalidInput):
        till.ask_refund(order_no, 1)


def test_a_refund_without_an_answer_is_asked_about_before_it_is_sent_again(till, bank):
    from tests.support.paying import PRICE, jobs

    order_no = paid(till, bank)
    till.ask_refund(order_no, PRICE)
    bank.refund_answer = None  # it is taken, and the answer lost
    run(order_no)
    assert standing(till, order_no) == [(PRICE, "sending")]
    assert till.state(order_no)[0] == "paid"
    assert len(jobs("payments.refund", order_no)) == 2
    run(order_no)
    assert len(bank.sent) == 1
    assert till.state(order_no) == ("refunded", PRICE, PRICE)


def test_two_workers_at_one_refund_send_it_once(till, bank):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections
    from tests.support.paying import PRICE

    order_no = paid(till, bank)
    till.ask_refund(order_no, PRICE)

    def other():
        try:
            run(order_no)
        finally:
            connections.close_all()

    def meanwhile():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(other).result()

    bank.on_refund = meanwhile
    run(order_no)
    assert len(bank.sent) == 1
    assert till.state(order_no) == ("refunded", PRICE, PRICE)


def test_a_pending_refund_is_followed_until_it_is_done(till, bank):
    from tests.support.paying import PRICE

    from chadan.payments.gateways.base import RefundState

    order_no = paid(till, bank)
    till.ask_refund(order_no, PRICE)
    bank.refund_answer = RefundState.PENDING
    run(order_no)
    run(order_no)
    assert standing(till, order_no) == [(PRICE, "sending")] and len(bank.sent) == 1
    bank.refunds[bank.sent[0]] = RefundState.DONE
    run(order_no)
    assert standing(till, order_no) == [(PRICE, "done")] and len(bank.sent) == 1


def test_a_refused_refund_waits_for_a_hand(till, bank):
    from tests.support.paying import PRICE
    from tests.support.people import acting

    from chadan.payments import refunds
    from chadan.payments.gateways.base import RefundState
    from chadan.platform.errors import Conflict

    order_no = paid(till, bank)
    till.ask_refund(order_no, PRICE)
    bank.refund_answer = RefundState.FAILED
    run(order_no)
    assert standing(till, order_no) == [(PRICE, "failed")]
    assert till.refunds(order_no)[0].error == "said so"
    finance = acting(till.shop.staff["finance"])
    refunds.retry(finance, order_no, 1)
    with pytest.raises(Conflict):
        refunds.retry(finance, order_no, 1)
    run(order_no)
    refunds.done_by_hand(finance, order_no, 1)
    with pytest.raises(Conflict):
        refunds.done_by_hand(finance, order_no, 1)
    assert till.state(order_no) == ("refunded", PRICE, PRICE)
    assert till.told(order_no)[-2][1]["by_hand"] is True


def test_a_way_that_cannot_refund_pays_into_an_accounts_wallet_and_a_guests_waits(till, bank):
    from tests.support.paying import PRICE

    from chadan.accounts.models import Buyer
    from chadan.money import balances
    from chadan.platform.scope import scoped

    order_no = paid(till, bank, "doubted")
    till.ask_refund(order_no, PRICE)
    run(order_no)
    assert till.state(order_no) == ("refunded", PRICE, PRICE)
    with scoped(till.scope) as session:
        held = balances.wallet(session, till.shop.merchant.pk, "buyer", till.shop.buyer.buyer.pk)
    assert held == PRICE
    guest = Buyer.objects.create(realm="guest", login=f"guest of {till.shop.merchant.name}")
    order_no = paid(till, bank, "doubted", buyer_id=guest.pk)
    till.ask_refund(order_no, PRICE)
    run(order_no)
    assert standing(till, order_no) == [(PRICE, "failed")]
    assert till.state(order_no) == ("paid", PRICE, 0)


def test_a_refund_larger_than_one_payment_is_cut_along_the_payments(till, bank):
    from tests.support.paying import PRICE

    from chadan.payments.facts import Source, apply_payment_fact, fact_of

    order_no = till.order()
    first, second = till.start(order_no), till.start(order_no, "doubted")
    for channel, out_no in (("paper", first), ("doubted", second)):
        apply_payment_fact(fact_of(till.channels[channel], bank.pay(out_no), Source.QUERY), {"kind": "gateway"})
    assert standing(till, order_no) == [(PRICE, "queued")]  # the second payment's, by itself
    till.ask_refund(order_no, PRICE)
    run(order_no, 1)
    run(order_no, 2)
    assert [one.payment_seq for one in till.refunds(order_no)] == [2, 1]
    assert till.state(order_no) == ("refunded", 2 * PRICE, 2 * PRICE)


def test_an_imported_payment_is_not_refunded_here(till, bank):
    from tests.support.people import make_order

    from chadan.platform.errors import InvalidInput

    order_no = make_order(till.shop.merchant, till.shop.buyer.buyer, till.version)
    with pytest.raises(InvalidInput):
        till.ask_refund(order_no, 1)


def test_the_sweep_finds_refunds_whose_job_is_lost(till, bank):
    from tests.support.paying import PRICE, owner_run

    from chadan.payments import refunds

    order_no = paid(till, bank)
    seq = till.ask_refund(order_no, PRICE)
    assert (order_no, seq) not in refunds.overdue()
    owner_run("update order_refunds set created_at = now() - interval '6 minutes' where order_no = %s", order_no)
    assert (order_no, seq) in refunds.overdue()
