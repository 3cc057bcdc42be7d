"""Moving orders for real: the whole table, repeats, races, and the steps people and jobs take."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from tests.support.money import ACTOR, deliver, fact, make_till, move, pay, place_order

from chadan.money import balances
from chadan.money.accounts import AccountKind
from chadan.orders import number
from chadan.orders.states import Escrow, OrderStatus
from chadan.orders.transitions import ALLOWED, IllegalTransition, lock, may_move
from chadan.platform.errors import InvalidInput, NotFound
from chadan.platform.scope import scoped

S = OrderStatus


@pytest.fixture
def till(database):
    return make_till()


@pytest.fixture
def lifecycle(database):
    from chadan.orders import lifecycle

    return lifecycle


def status_of(till, order_no):
    with scoped(till.scope) as session:
        return lock(session, order_no).status


def column(till, order_no, name):
    with scoped(till.scope) as session:
        home = till.merchant.home
        return session.rows(f"select {name} from orders where order_no = %s and home = %s", (order_no, home))[0][0]


def put(till, order_no, status, before=None):
    """Sets a state without asking the table."""
    codes = (status.code, None if before is None else before.code, order_no, till.merchant.home)
    with scoped(till.scope) as session:
        session.run("update orders set status = %s, status_before = %s where order_no = %s and home = %s", codes)


def events_of(till, order_no):
    with scoped(till.scope) as session:
        home = till.merchant.home
        rows = session.rows(
            "select type from order_events where order_no = %s and home = %s order by order_seq", (order_no, home)
        )
    return [row[0] for row in rows]


def jobs_of(task, order_no):
    with connection.cursor() as cursor:
        cursor.execute(
            "select scheduled_at from procrastinate_jobs where task_name = %s and args ->> 'order_no' = %s",
            [task, str(order_no)],
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize("status", list(S))
def test_the_function_keeps_to_the_table(till, status):
    order = place_order(till)
    before = S.PROCESSING if status is S.AFTER_SALE else None
    for to in S:
        put(till, order, status, before)
        with scoped(till.scope) as session:
            allowed = may_move(lock(session, order), to)
        assert allowed == (to in ALLOWED[status] or to is before)
        if allowed:
            assert move(till, order, to).changed
            assert events_of(till, order)[-1] == f"order.{to}"
        else:
            seen = len(events_of(till, order))
            with pytest.raises(IllegalTransition, match=status):
                move(till, order, to)
            assert len(events_of(till, order)) == seen
            assert status_of(till, order) is status


def test_the_same_cause_moves_an_order_once(till):
    order = place_order(till)
    cause = fact()
    assert move(till, order, S.PAID, cause=cause).changed
    move(till, order, S.FAILED)
    assert not move(till, order, S.PAID, cause=cause).changed
    assert events_of(till, order) == ["order.placed", "order.paid", "order.failed"]


@pytest.mark.parametrize("cause", ["", "same"])
def test_of_two_transitions_at_once_one_wins(till, cause):
    order = place_order(till)
    barrier = threading.Barrier(2)
    outcomes = []

    def attempt(to):
        try:
            barrier.wait(timeout=10)
            outcomes.append(move(till, order, to, cause=cause).changed)
        except IllegalTransition:
            outcomes.append(None)
        finally:
            connections.close_all()

    wishes = (S.PAID, S.PAID) if cause else (S.CANCELLED, S.CANCELLED)
    threads = [threading.Thread(target=attempt, args=(to,)) for to in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(["True", "False" if cause else "None"])
    assert len(events_of(till, order)) == 2


def test_the_buyer_confirms_and_the_escrow_goes_to_the_merchant(till, lifecycle):
    order = place_order(till)
    pay(till, order)
    with pytest.raises(IllegalTransition):
        lifecycle.complete(till.buyer_scope, order, ACTOR, "early")
    deliver(till, order)
    assert lifecycle.complete(till.buyer_scope, order, ACTOR, "got it").changed
    assert not lifecycle.complete(till.buyer_scope, order, ACTOR, "got it").changed
    assert column(till, order, "escrow") == Escrow.RELEASED.code
    with scoped(till.scope) as session:
        assert balances.balance(session, till.merchant.pk, AccountKind.MERCHANT_BALANCE) == 10_000


def test_a_stranger_finds_no_order_to_touch(till, lifecycle):
    order = place_order(till)
    stranger = make_till()
    for scope in (stranger.scope, stranger.buyer_scope):
        for step in (lifecycle.complete, lifecycle.cancel, lifecycle.open_after_sale):
            with pytest.raises(NotFound):
                step(scope, order, ACTOR, "mine")
    with pytest.raises(NotFound):
        lifecycle.cancel(till.scope, order + 1, ACTOR, "typo")


def test_only_unpaid_orders_are_cancelled(till, lifecycle):
    order, paid = place_order(till), place_order(till)
    pay(till, paid)
    assert lifecycle.cancel(till.buyer_scope, order, ACTOR, "changed my mind").changed
    assert not lifecycle.cancel(till.scope, order, ACTOR, "again").changed
    with pytest.raises(IllegalTransition):
        lifecycle.cancel(till.scope, paid, ACTOR, "no")


def test_an_order_expires_when_its_time_is_over_and_not_before(till, lifecycle):
    order = place_order(till)
    assert order not in lifecycle.unpaid_due()
    assert not lifecycle.expire(order)
    backdate(till, "order_checkouts set expires_at", order)
    assert order in lifecycle.unpaid_due()
    assert lifecycle.expire(order)
    assert order not in lifecycle.unpaid_due()
    assert not lifecycle.expire(order)
    assert status_of(till, order) is S.CANCELLED


def backdate(till, what, order):
    with scoped(till.scope) as session:
        past = number.now() - timedelta(minutes=1)
        session.run(f"update {what} = %s where order_no = %s and home = %s", (past, order, till.merchant.home))


def test_the_sweep_hands_each_overdue_order_to_one_job(till, lifecycle):
    from chadan.orders import tasks

    orders = [place_order(till) for _ in range(3)]
    for order in orders:
        backdate(till, "order_checkouts set expires_at", order)
    tasks.sweep_unpaid(0)
    tasks.sweep_unpaid(0)
    assert [len(jobs_of("orders.expire", order)) for order in orders] == [1, 1, 1]


def test_the_sweep_completes_what_is_due_though_one_of_them_fails(till, lifecycle, monkeypatch):
    from chadan.money import flows
    from chadan.orders import tasks

    orders = [place_order(till) for _ in range(3)]
    for order in orders:
        pay(till, order)
        move(till, order, S.DELIVERED, escrow_until=number.now())
        backdate(till, "orders set escrow_until", order)
    released = flows.escrow_released

    def release(session, order, **more):
        if order.order_no == orders[0]:
            raise NotFound("broken")
        return released(session, order, **more)

    monkeypatch.setattr(flows, "escrow_released", release)
    tasks.sweep_escrow(0)
    assert [status_of(till, order) for order in orders] == [S.DELIVERED, S.COMPLETED, S.COMPLETED]
    monkeypatch.undo()
    tasks.sweep_escrow(0)
    assert status_of(till, orders[0]) is S.COMPLETED


def test_a_sweep_reads_batch_after_batch(till, lifecycle, monkeypatch):
    monkeypatch.setattr(lifecycle, "_BATCH", 2)
    orders = [place_order(till) for _ in range(5)]
    for order in orders:
        backdate(till, "order_checkouts set expires_at", order)
    assert set(orders) <= set(lifecycle.unpaid_due())


def test_a_paid_order_does_not_expire(till, lifecycle):
    order = place_order(till)
    pay(till, order)
    backdate(till, "order_checkouts set expires_at", order)
    assert not lifecycle.expire(order)
    assert status_of(till, order) is S.PAID


def test_a_delivered_order_completes_itself_when_its_escrow_is_over(till, lifecycle):
    order = place_order(till)
    pay(till, order)
    soon = number.now() + timedelta(hours=1)
    move(till, order, S.DELIVERED, escrow_until=soon)
    assert not lifecycle.complete_due(order)
    assert order not in lifecycle.escrows_due()
    backdate(till, "orders set escrow_until", order)
    assert order in lifecycle.escrows_due()
    assert lifecycle.complete_due(order)
    assert order not in lifecycle.escrows_due()
    assert not lifecycle.complete_due(order)
    assert status_of(till, order) is S.COMPLETED


def test_an_open_case_holds_the_escrow_and_closing_it_goes_on(till, lifecycle):
    order = place_order(till)
    pay(till, order)
    deliver(till, order)
    with pytest.raises(InvalidInput):
        lifecycle.open_after_sale(till.buyer_scope, order, ACTOR, "  ")
    assert lifecycle.open_after_sale(till.buyer_scope, order, ACTOR, "the card does not work").changed
    assert not lifecycle.open_after_sale(till.buyer_scope, order, ACTOR, "again").changed
    assert not lifecycle.complete_due(order)
    assert lifecycle.close_after_sale(till.scope, order, ACTOR, "it does now") is S.DELIVERED
    assert lifecycle.complete_due(order)
    with pytest.raises(IllegalTransition):
        lifecycle.close_after_sale(till.scope, order, ACTOR, "nothing is open")


@pytest.fixture
def refunds(monkeypatch):
    """What was asked of the payments room."""
    import sys
    import types

    asked = []
    module = types.ModuleType("chadan.payments.refunds")
    module.request = lambda *given: asked.append(given[1:3]) or 1
    monkeypatch.setitem(sys.modules, "chadan.payments.refunds", module)
    monkeypatch.setattr(sys.modules["chadan.payments"], "refunds", module, raising=False)
    return asked


def test_a_case_ends_with_part_of_the_money_or_all_of_it(till, lifecycle, refunds):
    order = place_order(till)
    pay(till, order)
    deliver(till, order)
    lifecycle.open_after_sale(till.scope, order, ACTOR, "half of it is missing")
    with pytest.raises(InvalidInput):
        lifecycle.close_after_sale(till.scope, order, ACTOR, "too much", refund=10_001)
    assert lifecycle.close_after_sale(till.scope, order, ACTOR, "half back", refund=5_000) is S.DELIVERED
    lifecycle.open_after_sale(till.scope, order, ACTOR, "all of it")
    assert lifecycle.close_after_sale(till.scope, order, ACTOR, "all back", refund=10_000) is S.AFTER_SALE
    assert refunds == [(order, 5_000), (order, 10_000)]


def test_nothing_unpaid_becomes_a_case(till, lifecycle):
    with pytest.raises(IllegalTransition):
        lifecycle.open_after_sale(till.scope, place_order(till), ACTOR, "no")
