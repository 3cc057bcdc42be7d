"""The buttons on an order's page: who has them, what they do, and the sentence when the state does not allow it."""

from __future__ import annotations

import pytest
from tests.support.money import ACTOR, deliver, make_till, pay, place_order

from chadan.orders import number
from chadan.orders.states import OrderStatus
from chadan.orders.transitions import lock
from chadan.platform.scope import scoped

S = OrderStatus


@pytest.fixture(scope="module")
def till(database):
    return make_till()


@pytest.fixture(scope="module")
def clients(till):
    from django.test import Client
    from tests.support.people import make_staff, make_user

    from chadan.accounts.models import Role

    people = {str(role): make_staff(till.merchant, role) for role in Role}
    people["agent"] = make_staff(till.agent)
    people["platform"] = make_user("platform", is_operator=True, buyer=False)
    people["buyer"] = till.buyer.user
    made = {}
    for name, user in people.items():
        made[name] = Client(headers={"accept-language": "en"})
        made[name].force_login(user)
    return made


def path(name, order, step=""):
    area = {"buyer": "/orders", "platform": "/ops/orders"}.get(name, "/m/orders")
    return f"{area}/{number.text(order)}{step}"


def status_of(till, order):
    with scoped(till.scope) as session:
        return lock(session, order).status


def delivered(till, **fields):
    order = place_order(till, **fields)
    pay(till, order)
    deliver(till, order)
    return order


def test_a_buyer_confirms_receipt(till, clients):
    order = delivered(till)
    assert "Confirm receipt" in clients["buyer"].get(path("buyer", order)).content.decode()
    done = clients["buyer"].post(path("buyer", order, "/complete"), follow=True)
    assert "Receipt confirmed" in done.content.decode()
    assert status_of(till, order) is S.COMPLETED
    assert "receipt confirmed" in clients["owner"].get(path("owner", order)).content.decode()


def test_a_shop_does_not_confirm_for_its_buyer(till, clients):
    order = delivered(till)
    for name in ("owner", "platform"):
        assert "Confirm receipt" not in clients[name].get(path(name, order)).content.decode()
        assert clients[name].post(path(name, order, "/complete")).status_code == 403
    assert status_of(till, order) is S.DELIVERED


def test_an_agent_confirms_its_purchase(till, clients):
    order = delivered(till, agent=True)
    assert clients["agent"].post(path("agent", order, "/complete")).status_code == 302
    assert status_of(till, order) is S.COMPLETED


@pytest.mark.parametrize(
    ("name", "allowed"), [("buyer", True), ("owner", True), ("support", True), ("platform", True), ("finance", False)]
)
def test_unpaid_orders_are_cancelled_by_who_may(till, clients, name, allowed):
    order = place_order(till)
    assert ("Cancel the order" in clients[name].get(path(name, order)).content.decode()) == allowed
    assert clients[name].post(path(name, order, "/cancel")).status_code == (302 if allowed else 403)
    assert status_of(till, order) is (S.CANCELLED if allowed else S.PENDING_PAYMENT)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("/complete", "Only a delivered order can be confirmed."),
        ("/cancel", "Only an unpaid order can be cancelled."),
        ("/after-sale/close", "No after-sales case is open."),
    ],
)
def test_what_the_state_does_not_allow_is_said_in_a_sentence(till, clients, step, says):
    order = place_order(till)
    pay(till, order)
    answer = clients["buyer"].post(path("buyer", order, step), {"reason": "because"})
    assert answer.status_code == 409
    assert says in answer.content.decode()
    assert status_of(till, order) is S.PAID


def test_a_case_is_opened_by_the_buyer_and_closed_by_staff(till, clients):
    order = delivered(till)
    nothing = clients["buyer"].post(path("buyer", order, "/after-sale"), {"reason": " "})
    assert nothing.status_code == 400
    assert "Say why." in nothing.content.decode()
    assert clients["buyer"].post(path("buyer", order, "/after-sale"), {"reason": "wrong card"}).status_code == 302
    assert status_of(till, order) is S.AFTER_SALE
    seen = clients["finance"].get(path("finance", order)).content.decode()
    assert "wrong card" in seen
    assert "Give back, in yuan" in seen
    assert "Give back" not in clients["buyer"].get(path("buyer", order)).content.decode()
    greedy = clients["buyer"].post(path("buyer", order, "/after-sale/close"), {"reason": "pay me", "refund": "100"})
    assert greedy.status_code == 403
    assert clients["support"].post(path("support", order, "/after-sale/close"), {"reason": "no"}).status_code == 403
    too_much = clients["finance"].post(path("finance", order, "/after-sale/close"), {"reason": "x", "refund": "100.01"})
    assert too_much.status_code == 400
    assert (
        clients["finance"].post(path("finance", order, "/after-sale/close"), {"reason": "new card"}).status_code == 302
    )
    assert status_of(till, order) is S.DELIVERED


def test_an_error_in_a_step_leaves_the_order_as_it_was(till, clients):
    from chadan.orders import lifecycle

    order = delivered(till)
    lifecycle.open_after_sale(till.scope, order, ACTOR, "test")
    answer = clients["owner"].post(path("owner", order, "/after-sale/close"), {"reason": "x", "refund": "abc"})
    assert answer.status_code == 400
    assert status_of(till, order) is S.AFTER_SALE
