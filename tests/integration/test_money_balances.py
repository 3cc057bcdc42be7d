"""Balances out of snapshots and tails equal the sum of all entries, and what is wrong in the books is found."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.money import ACTOR, fact, make_till, pay, pay_back, place_order

from chadan.money import balances, checks, closing
from chadan.money.accounts import AccountKind as A
from chadan.money.accounts import PostingKind, credit, debit, post, shown
from chadan.orders import number
from chadan.platform.scope import OPERATOR, scoped


@pytest.fixture
def till(database):
    return make_till()


@pytest.fixture
def calendar(database):
    """The days the test closes are the test's: they are opened again, and later postings stay where they were."""
    yield
    with connections["owner"].cursor() as cursor:
        cursor.execute("delete from ledger_closings; delete from ledger_snapshots")


def put(till, fen, at):
    """A posting of another day: the ledger itself dates nothing back."""
    legs = [debit(A.OUTSIDE, fen), credit(A.MERCHANT_BALANCE, fen)]
    cause = fact("dated")
    with scoped(till.scope) as session:
        home, merchant = till.merchant.home, till.merchant.pk
        amount = abs(fen)
        post(session, PostingKind.OPENING, cause, legs, home=home, merchant_id=merchant, amount=amount, actor=ACTOR)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "update ledger_entries set at = %s where posting_id = (select id from ledger_postings where cause = %s)",
            [at, f"opening/{cause}"],
        )


def full(till, until=None):
    with scoped(till.scope) as session:
        rows = session.rows(
            "select coalesce(sum(-e.amount), 0)::bigint from ledger_entries e join ledger_accounts a"
            " on a.id = e.account_id where a.merchant_id = %s and a.kind = 3 and (%s::timestamptz is null or e.at < %s)",
            (till.merchant.pk, until, until),
        )
    return rows[0][0]


TODAY = closing.day_start(number.now())
DAY = timedelta(days=1)
moves = st.lists(st.tuples(st.integers(-9, 9).filter(bool), st.integers(0, 5 * 24 * 60)), min_size=1, max_size=12)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves, closed=st.sets(st.integers(0, 4), max_size=3))
def test_snapshot_and_tail_are_the_full_sum(calendar, moves, closed):
    """Whatever was posted on whatever day, and whichever days were closed: at any midnight and now."""
    till = make_till()
    for fen, minutes in moves:
        put(till, fen, TODAY - timedelta(minutes=minutes))
    with connections["owner"].cursor() as cursor:
        cursor.execute("delete from ledger_closings; delete from ledger_snapshots")
    for days in sorted(closed, reverse=True):
        with scoped(OPERATOR) as session:
            session.run("insert into ledger_closings (through) values (%s)", (TODAY - days * DAY,))
            closing.sum_up(session)
    moments = [None, *(TODAY - days * DAY for days in range(6)), TODAY - timedelta(minutes=moves[0][1])]
    with scoped(till.scope) as session:
        for moment in moments:
            held = balances.balance(session, till.merchant.pk, A.MERCHANT_BALANCE, until=moment)
            assert held == full(till, moment), moment


def test_a_closed_day_takes_no_more_postings(till, calendar):
    """Even when the clock is set back."""
    ahead = TODAY + DAY
    with scoped(OPERATOR) as session:
        session.run("insert into ledger_closings (through) values (%s)", (ahead,))
    order = place_order(till)
    pay(till, order)
    with scoped(till.scope) as session:
        assert session.rows("select min(at) from ledger_postings where order_no = %s", (order,)) == [(ahead,)]


def test_closing_waits_for_whoever_is_still_writing(till, calendar, monkeypatch):
    monkeypatch.setattr(closing, "WAIT_SECONDS", 0.2)
    order = place_order(till)
    writing, done = threading.Event(), threading.Event()

    def writer():
        with scoped(till.scope) as session:
            session.run(
                "select 1 from orders where order_no = %s and home = %s for update", (order, till.merchant.home)
            )
            writing.set()
            done.wait(timeout=20)
        connections.close_all()

    thread = threading.Thread(target=writer)
    thread.start()
    writing.wait(timeout=10)
    assert not closing.close_days()
    done.set()
    thread.join()
    monkeypatch.undo()
    assert closing.close_days()
    assert closing.close_days(), "a second time there is nothing to do"


def test_a_day_is_closed_a_little_after_midnight(calendar, database):
    closing.close_days(datetime(2026, 3, 5, 0, 4, tzinfo=number.SHANGHAI))
    with scoped(OPERATOR) as session:
        assert session.rows("select through from ledger_closings") == [(datetime(2026, 3, 4, tzinfo=number.SHANGHAI),)]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            "update ledger_entries set amount = amount + 1 where order_no = {order} and amount > 0",
            "does not sum to zero",
        ),
        ("update orders set refunded = 1 where order_no = {order}", "its row says"),
        ("update orders set status = 4 where order_no = {order}", "has ended, and 10000 fen"),
        ("delete from ledger_entries where order_no = {order}", "does not sum to zero"),
    ],
)
def test_what_a_stray_hand_did_to_the_books_is_found(till, damage, says):
    order = place_order(till)
    pay(till, order)
    with scoped(till.scope) as session:
        assert checks.check(session) == []
    with transaction.atomic(using="owner"):
        with connections["owner"].cursor() as cursor:
            cursor.execute(damage.format(order=order))
        with scoped(OPERATOR, using="owner") as session:
            for since in (None, number.now() - timedelta(hours=1)):
                if "delete" not in damage or since is None:
                    assert any(says in found for found in checks.check(session, since)), since
        transaction.set_rollback(True, using="owner")  # the other tests look at the same books


def test_the_platforms_totals_are_the_sums_of_all_accounts(till, calendar):
    pay(till, place_order(till), fee=60)
    for _round in range(2):
        with scoped(OPERATOR) as session:
            rows = session.rows(
                "select a.kind, sum(e.amount)::bigint from ledger_entries e join ledger_accounts a on a.id = e.account_id"
                " group by 1"
            )
            assert balances.totals(session) == {A(kind): shown(A(kind), fen) for kind, fen in rows}
            session.run("insert into ledger_closings (through) values (clock_timestamp()) on conflict do nothing")
            closing.sum_up(session)
        pay(till, place_order(till))


def test_books_in_order_pass_with_and_without_a_closed_day(till, calendar):
    orders = [place_order(till) for _ in range(3)]
    for order in orders:
        pay(till, order, fee=60)
    pay_back(till, orders[0], 10_000)
    with scoped(OPERATOR) as session:
        session.run("insert into ledger_closings (through) values (clock_timestamp())")
        closing.sum_up(session)
    pay_back(till, orders[1], 500)
    with scoped(till.scope) as session:
        assert checks.check(session) == []
        assert checks.check(session, number.now() - timedelta(hours=1)) == []


def test_doctor_looks_at_the_books_of_a_running_database(till):
    from chadan.ops.doctor import ledger
    from chadan.platform.config import get_config

    order = place_order(till)
    pay(till, order)
    config = get_config()
    with connections["owner"].cursor() as cursor:
        cursor.execute("update orders set paid = paid + 1 where order_no = %s", [order])
        broken = ledger(config)
        cursor.execute("update orders set paid = paid - 1 where order_no = %s", [order])
    assert broken.level == "fail"
    assert number.text(order) in broken.text
