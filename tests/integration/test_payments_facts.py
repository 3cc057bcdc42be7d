"""Starting a payment and learning of it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def till(database):
    from tests.support.paying import make_till, stand_in_flows

    posted = []
    stand_in_flows(posted)
    return make_till(posted)


def test_a_started_payment_is_paid_once(till):
    from tests.support.paying import BANK, PRICE, jobs

    from chadan.payments.facts import PaymentFact, Source, Verdict, apply_payment_fact, fact_of

    order_no = till.order()
    out_no = till.start(order_no)
    assert BANK.creates.count(out_no) == 1
    assert len(jobs("payments.heal", order_no)) == 7
    fact = fact_of(till.channels["paper"], BANK.pay(out_no), Source.QUERY)
    assert apply_payment_fact(fact, {"kind": "gateway"}) is Verdict.PAID
    assert apply_payment_fact(fact, {"kind": "gateway"}) is Verdict.REPEATED
    assert till.state(order_no) == ("paid", PRICE, 0)
    assert len(jobs("delivery.deliver", order_no)) == 1
    assert till.events(order_no) == ["order.placed", "order.paid"]
    assert isinstance(fact, PaymentFact)


def test_a_hand_confirms_a_transfer(till):
    from tests.support.paying import PRICE
    from tests.support.people import acting

    from chadan.payments.confirming import confirm

    order_no = till.order()
    till.start(order_no, "manual")
    owner = acting(till.shop.staff["owner"])
    assert confirm(owner, order_no, till.channels["manual"].pk) == "paid"
    assert till.state(order_no) == ("paid", PRICE, 0)
