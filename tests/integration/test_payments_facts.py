"""Starting a payment and learning of it, from whatever source: counted once, and never for what it is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

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


@pytest.fixture
def client():
    from django.test import Client

    return Client()


def verdicts(channel):
    from chadan.payments.models import PaymentCallback

    return [one.verdict for one in PaymentCallback.objects.using("owner").filter(channel_id=channel.pk).order_by("pk")]


def told(till, told_, channel="paper"):
    """What a query says, applied."""
    from chadan.payments.facts import Source, apply_payment_fact, fact_of

    return apply_payment_fact(fact_of(till.channels[channel], told_, Source.QUERY), {"kind": "gateway"})


def test_a_started_payment_is_paid_once(till, bank):
    from tests.support.paying import PRICE, jobs

    order_no = till.order()
    out_no = till.start(order_no)
    assert bank.creates == [out_no] and len(out_no) <= 32
    assert len(jobs("payments.heal", order_no)) == 1
    paid = bank.pay(out_no)
    assert told(till, paid) == "paid"
    assert told(till, paid) == "repeated"
    assert till.state(order_no) == ("paid", PRICE, 0)
    assert len(jobs("delivery.deliver", order_no)) == 1
    assert till.events(order_no) == ["order.placed", "order.paid"]
    assert till.ledger(order_no) == [("payment", PRICE)]


def test_a_second_click_goes_on_with_the_same_payment(till, bank):
    order_no = till.order()
    first, second = till.start(order_no), till.start(order_no)
    assert first == second and bank.creates == [first]
    other = till.start(order_no, "doubted")
    assert other != first and len(till.attempts(order_no)) == 2


def test_two_clicks_at_once_are_one_payment(till, bank):
    from django.db import connections

    order_no = till.order()

    def click(_index):
        try:
            return till.start(order_no)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        numbers = list(pool.map(click, range(2)))
    assert numbers[0] == numbers[1] and len(till.attempts(order_no)) == 1


def test_a_gateway_that_did_not_answer_is_asked_with_the_same_number(till, bank):
    from chadan.payments.gateways.base import GatewayUnreachable

    order_no = till.order()
    bank.down = True
    with pytest.raises(GatewayUnreachable):
        till.start(order_no)
    bank.down = False
    assert bank.creates == [till.start(order_no)] * 2


def test_a_callback_that_overtakes_the_reply_to_create_counts(till, bank, client):
    order_no = till.order()
    bank.on_create = lambda request: till.callback(client, request.out_no)
    till.start(order_no)
    assert till.state(order_no)[0] == "paid"
    assert till.attempts(order_no)[0].txn_no.startswith("T")


def test_ten_equal_callbacks_at_once_are_one_payment_and_all_hear_success(till, bank):
    from django.db import connections
    from django.test import Client
    from tests.support.paying import PRICE, jobs

    order_no = till.order()
    out_no = till.start(order_no)

    def call(_index):
        try:
            return till.callback(Client(), out_no).content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(call, range(10)))
    assert answers == [b"success"] * 10
    assert till.state(order_no) == ("paid", PRICE, 0)
    assert [one.txn_no for one in till.attempts(order_no)] == [f"T{out_no}"]
    assert len(jobs("delivery.deliver", order_no)) == 1
    assert till.ledger(order_no) == [("payment", PRICE)]
    assert sorted(verdicts(till.channels["paper"])[-10:]) == ["paid"] + ["repeated"] * 9


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({"sign": "wrong"}, "bad_signature"),
        ({"amount": 1}, "wrong_amount"),
        ({"amount": 9801}, "wrong_amount"),
        ({"currency": "USD"}, "wrong_currency"),
        ({"payee": "P2"}, "wrong_payee"),
        ({"payee": ""}, "wrong_payee"),
        ({"state": "unpaid"}, "not_paid"),
        ({"out_no": "nobody's"}, "unknown_order"),
    ],
)
def test_a_callback_that_does_not_fit_is_kept_and_moves_nothing(till, bank, client, said, verdict):
    from tests.support.paying import jobs

    order_no = till.order()
    out_no = till.start(order_no)
    answer = till.callback(client, said.pop("out_no", out_no), **said)
    assert answer.content == (b"success" if verdict == "not_paid" else b"fail")
    assert verdicts(till.channels["paper"])[-1] == verdict
    assert till.state(order_no) == ("pending_payment", 0, 0)
    alerts = [fact["verdict"] for kind, fact in till.told(order_no) if kind == "payment.alert"]
    assert alerts == ([verdict] if verdict.startswith("wrong") else [])
    assert not jobs("delivery.deliver", order_no) and not till.refunds(order_no)


def test_another_channels_payment_does_not_pay(till, bank, client):
    order_no = till.order()
    out_no = till.start(order_no, "doubted")
    assert till.callback(client, out_no, "paper").content == b"fail"
    assert verdicts(till.channels["paper"])[-1] == "wrong_channel"
    assert till.state(order_no)[0] == "pending_payment"


def test_a_transaction_pays_one_order(till, bank, client):
    first, second = till.order(), till.order()
    numbers = [till.start(order_no) for order_no in (first, second)]
    assert till.callback(client, numbers[0], txn_no="TWICE").content == b"success"
    assert till.callback(client, numbers[1], txn_no="TWICE").content == b"fail"
    assert (till.state(first)[0], till.state(second)[0]) == ("paid", "pending_payment")


def test_a_signed_callback_the_gateway_does_not_confirm_is_held(till, bank, client):
    order_no = till.order()
    out_no = till.start(order_no, "doubted")
    assert till.callback(client, out_no, "doubted").content == b"fail"
    bank.down = True
    assert till.callback(client, out_no, "doubted").content == b"fail"
    bank.down = False
    assert verdicts(till.channels["doubted"])[-2:] == ["held", "unconfirmed"]
    assert till.state(order_no)[0] == "pending_payment"
    bank.pay(out_no, txn_no="T-true")
    assert till.callback(client, out_no, "doubted", txn_no="T-true").content == b"success"
    assert till.state(order_no)[0] == "paid"


def test_a_second_transaction_a_paid_payments_callback_names_is_not_believed_alone(till, bank, client):
    order_no = till.order()
    out_no = till.start(order_no)
    bank.pay(out_no, txn_no="T-one")
    till.callback(client, out_no, txn_no="T-one")
    assert till.callback(client, out_no, txn_no="T-two").content == b"success"
    assert not till.refunds(order_no) and len(till.attempts(order_no)) == 1


def test_paid_that_is_told_after_it_went_back_is_asked_about_first(till, bank, client):
    order_no = till.order()
    out_no = till.start(order_no)
    bank.payments[out_no] = replace(bank.pay(out_no), state="refunded")
    assert till.callback(client, out_no, state="refunded").content == b"success"
    assert till.callback(client, out_no).content == b"fail"
    assert verdicts(till.channels["paper"])[-2:] == ["not_paid", "held"]
    assert till.state(order_no) == ("pending_payment", 0, 0)


def test_money_that_goes_back_outside_leaves_a_word_and_our_own_refund_none(till, bank, client):
    from chadan.payments.healing import PAID_BACK

    outside, ours = till.order(), till.order()
    numbers = [till.start(order_no) for order_no in (outside, ours)]
    for out_no in numbers:
        till.callback(client, out_no)
    till.ask_refund(ours, 100)
    for out_no in [*numbers, *numbers]:
        till.callback(client, out_no, state="refunded")
    assert (till.events(outside).count(PAID_BACK), till.events(ours).count(PAID_BACK)) == (1, 0)


@pytest.mark.parametrize("amount", [1, 10000])
def test_money_of_a_wrong_amount_is_recorded_and_goes_back(till, bank, amount):
    from chadan.payments import refunding

    order_no = till.order()
    out_no = till.start(order_no)
    paid = bank.pay(out_no, amount=amount)
    assert told(till, paid) == "wrong_amount"
    assert told(till, paid) == "repeated"
    assert till.state(order_no) == ("pending_payment", amount, 0)
    assert [(one.amount, str(one.status)) for one in till.refunds(order_no)] == [(amount, "queued")]
    refunding.run(order_no, 1)
    assert till.state(order_no) == ("pending_payment", amount, amount)
    assert told(till, bank.pay(till.start(order_no))) == "paid"
    assert till.state(order_no)[0] == "paid"


def test_a_query_that_says_paid_and_names_no_money_takes_nothing_from_the_true_answer(till, bank):
    from chadan.payments.facts import Source, apply_payment_fact, fact_of

    order_no = till.order()
    paid = bank.pay(till.start(order_no))
    silent = fact_of(till.channels["paper"], replace(paid, amount=None), Source.QUERY)
    assert apply_payment_fact(silent, {"kind": "gateway"}) == "wrong_amount"
    assert till.state(order_no) == ("pending_payment", 0, 0) and not till.refunds(order_no)
    assert told(till, paid) == "paid"


def test_what_costs_nothing_is_paid_at_once(till, bank):
    order_no = till.order(amount=0)
    from chadan.payments.attempts import start

    start(till.scope, order_no, till.channels["paper"].pk, return_url="http://shop.test/back", client_ip="")
    assert till.state(order_no) == ("paid", 0, 0)
    assert not bank.creates and till.ledger(order_no) == []


def test_no_gateway_is_called_inside_a_transaction(till, bank):
    from django.db import transaction

    order_no = till.order()
    with pytest.raises(RuntimeError), transaction.atomic():
        till.start(order_no)
    assert bank.creates == [] and till.attempts(order_no) == []


def test_a_second_payment_of_a_paid_order_goes_back(till, bank):
    from tests.support.paying import PRICE, jobs

    from chadan.payments import refunding

    order_no = till.order()
    first, second = till.start(order_no), till.start(order_no, "doubted")
    assert told(till, bank.pay(first)) == "paid"
    assert told(till, bank.pay(second), "doubted") == "second"
    assert till.state(order_no) == ("paid", 2 * PRICE, 0)
    assert [(one.payment_seq, one.amount) for one in till.refunds(order_no)] == [(2, PRICE)]
    refunding.run(order_no, 1)
    assert till.state(order_no) == ("paid", 2 * PRICE, PRICE)
    assert len(jobs("delivery.deliver", order_no)) == 1


def test_a_late_payment_revives_a_cancelled_order(till, bank):
    from tests.support.paying import PRICE, jobs

    order_no = till.order()
    out_no = till.start(order_no)
    till.move(order_no, "cancelled")
    assert told(till, bank.pay(out_no)) == "paid_late"
    assert till.state(order_no) == ("paid", PRICE, 0)
    assert till.told(order_no)[-1][1]["late"] is True
    assert len(jobs("delivery.deliver", order_no)) == 1


def test_nothing_starts_for_an_order_that_takes_no_money(till, bank):
    from chadan.platform.errors import Conflict, NotFound

    order_no = till.order()
    told(till, bank.pay(till.start(order_no)))
    with pytest.raises(Conflict):
        till.start(order_no)
    with pytest.raises(Conflict):
        till.start(till.order(at=timedelta(hours=-1)))
    disabled = replace(till, channels={"paper": till.other_channel()})
    with pytest.raises(NotFound):
        disabled.start(till.order())


def test_a_hand_confirms_and_the_gateways_own_word_later_is_the_same_payment(till, bank):
    from tests.support.paying import PRICE
    from tests.support.people import acting

    from chadan.payments.confirming import confirm

    finance = acting(till.shop.staff["finance"])
    transfer = till.order()
    till.start(transfer, "manual")
    assert confirm(finance, transfer, till.channels["manual"].pk) == "paid"
    assert till.state(transfer) == ("paid", PRICE, 0)
    order_no = till.order()
    out_no = till.start(order_no)
    assert confirm(finance, order_no, till.channels["paper"].pk) == "paid"
    assert told(till, bank.pay(out_no, txn_no="T-late")) == "repeated"
    assert till.state(order_no) == ("paid", PRICE, 0)
    assert [one.txn_no for one in till.attempts(order_no)] == ["T-late"]


def test_a_wallet_pays_for_its_owner_alone(till, bank):
    from tests.support.paying import PRICE

    from chadan.payments.attempts import start
    from chadan.platform.errors import Forbidden
    from chadan.platform.scope import Scope

    order_no = till.order()
    way = {"return_url": "http://shop.test/back", "client_ip": ""}
    with pytest.raises(Forbidden):
        start(till.scope, order_no, till.channels["balance"].pk, **way)
    till.top_up(PRICE)
    begun = start(Scope(buyer=till.shop.buyer.buyer.pk), order_no, till.channels["balance"].pk, **way)
    assert begun.show == "wait"
    assert till.state(order_no) == ("paid", PRICE, 0)
    assert till.ledger(order_no) == [("wallet_payment", PRICE)]


def test_a_lost_callback_is_found_by_asking_and_asking_twice_changes_nothing(till, bank):
    from tests.support.paying import PRICE

    from chadan.payments import healing
    from chadan.payments.tasks import heal

    order_no = till.order()
    out_no = till.start(order_no)
    heal(order_no, 1)
    assert till.state(order_no)[0] == "pending_payment" and till.attempts(order_no)[0].queries == 1
    bank.pay(out_no)
    heal(order_no, 1)
    heal(order_no, 1)
    assert till.state(order_no) == ("paid", PRICE, 0)
    assert bank.queries == [out_no] * 2
    waiting = till.order()
    till.start(waiting)
    assert healing.last_look(waiting) is False
    bank.pay(till.attempts(waiting)[0].out_no)
    assert healing.last_look(waiting) is True


def test_the_sweep_finds_attempts_nobody_asked_about(till, bank):
    from tests.support.paying import age_attempts, jobs

    from chadan.payments import healing
    from chadan.payments.tasks import sweep

    order_no = till.order()
    till.start(order_no)
    assert (order_no, 1) not in healing.overdue()
    age_attempts(order_no, seconds=100)
    assert (order_no, 1) in healing.overdue()
    before = len(jobs("payments.heal", order_no))
    for _ in range(2):
        sweep(0)
    assert len(jobs("payments.heal", order_no)) == before + 1
    healing.ask(order_no, 1)
    assert (order_no, 1) not in healing.overdue()
    age_attempts(order_no, seconds=100)
    assert (order_no, 1) in healing.overdue()


def test_callbacks_are_kept_as_they_came_and_huge_ones_refused(till, bank, client):
    from chadan.payments.models import PaymentCallback

    path = f"/pay/notify/{till.channels['paper'].pk}/"
    assert client.post(path, b"\x00{}", content_type="application/json").content == b"fail"
    kept = PaymentCallback.objects.using("owner").order_by("-pk").first()
    assert (kept.method, kept.body, kept.verdict) == ("POST", "\ufffd{}", "bad_signature")
    assert client.post(path, b"x" * (1 << 20) + b"x", content_type="text/plain").status_code == 413
    assert client.get("/pay/notify/2147480000/").status_code == 404
    assert client.get(f"/pay/notify/{till.channels['manual'].pk}/").status_code == 404
