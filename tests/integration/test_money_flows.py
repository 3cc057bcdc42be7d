"""Who owes whom after each step, to the fen."""

from __future__ import annotations

import threading

import psycopg
import pytest
from django.db import connections
from tests.support.money import (
    ACTOR,
    CHANNEL,
    deliver,
    fact,
    make_till,
    pay,
    pay_back,
    place_order,
    top_up,
)

from chadan.money import balances, flows
from chadan.money.accounts import AccountKind as A
from chadan.money.accounts import CauseConflict, PostingKind, credit, debit, post
from chadan.orders.transitions import lock
from chadan.platform.config import get_config
from chadan.platform.scope import NOBODY, Scope, scoped


@pytest.fixture
def till(database):
    return make_till()


def holds(till, kind, owner=0):
    with scoped(till.scope) as session:
        return balances.balance(session, till.merchant.pk, kind, owner)


def money_of(till, order_no):
    with scoped(till.scope) as session:
        return balances.order_money(session, order_no, till.merchant.home)


def finish(till, order_no):
    from chadan.orders import lifecycle

    lifecycle.complete(till.buyer_scope, order_no, ACTOR, "test")


@pytest.fixture
def platform_fee(monkeypatch):
    """The platform takes 1 %."""
    monkeypatch.setenv("CHADAN_PLATFORM_FEE", "100")
    get_config.cache_clear()
    yield
    monkeypatch.undo()
    get_config.cache_clear()


def test_a_payment_is_held_and_released_less_the_fees(till, platform_fee):
    order = place_order(till)
    assert pay(till, order, fee=60)
    assert (holds(till, A.CLEARING, CHANNEL), holds(till, A.GATEWAY_FEES), holds(till, A.ESCROW)) == (9940, 60, 10000)
    deliver(till, order)
    finish(till, order)
    assert holds(till, A.ESCROW) == holds(till, A.GATEWAY_FEES) == 0
    assert (holds(till, A.PLATFORM_FEES), holds(till, A.MERCHANT_BALANCE)) == (100, 9840)


def test_the_same_cause_posts_once(till):
    order = place_order(till)
    assert pay(till, order, cause="payment:7:same")
    assert not pay(till, order, cause="payment:7:same")
    other = place_order(till)
    with pytest.raises(CauseConflict):
        pay(till, other, cause="payment:7:same")
    assert holds(till, A.ESCROW) == 10000


def test_a_wallet_pays_what_it_holds_and_no_more(till):
    order = place_order(till)
    top_up(till, 9999)
    with pytest.raises(balances.InsufficientBalance):
        pay(till, order, wallet=True)
    top_up(till, 1)
    assert pay(till, order, wallet=True)
    with scoped(till.scope) as session:
        assert balances.wallet(session, till.merchant.pk, "buyer", till.buyer.pk) == 0
    pay_back(till, order, 10000, wallet=True)
    with scoped(till.buyer_scope) as session:
        assert balances.wallet(session, till.merchant.pk, "buyer", till.buyer.pk) == 10000


def test_an_agents_purchase_is_paid_from_its_wallet_at_the_shop(till):
    top_up(till, 10000, "agent")
    assert pay(till, place_order(till, agent=True), wallet=True)
    assert (holds(till, A.AGENT_WALLET, till.agent.pk), holds(till, A.ESCROW)) == (0, 10000)


def test_two_payments_at_once_do_not_overdraw_a_wallet(till):
    top_up(till, 10000)
    orders = [place_order(till) for _ in range(4)]
    outcomes = []

    def attempt(order):
        try:
            outcomes.append(pay(till, order, wallet=True))
        except balances.InsufficientBalance:
            outcomes.append(False)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]
    assert holds(till, A.BUYER_WALLET, till.buyer.pk) == 0


def test_refunds_before_release_come_from_escrow(till):
    order = place_order(till)
    pay(till, order, fee=60)
    pay_back(till, order, 3000)
    assert (holds(till, A.ESCROW), holds(till, A.CLEARING, CHANNEL)) == (7000, 6940)
    deliver(till, order)
    finish(till, order)
    assert (holds(till, A.MERCHANT_BALANCE), holds(till, A.GATEWAY_FEES)) == (6940, 0)


def test_a_gateway_that_returns_its_fee_leaves_nothing_to_bear(till):
    order = place_order(till)
    pay(till, order, fee=60)
    pay_back(till, order, 10000, fee=60)
    assert {holds(till, kind) for kind in (A.ESCROW, A.GATEWAY_FEES, A.DUES, A.MERCHANT_BALANCE)} == {0}
    assert holds(till, A.CLEARING, CHANNEL) == 0


def test_a_gateway_that_keeps_its_fee_is_borne_by_the_merchant_who_owes_it_until_the_next_release(till):
    order = place_order(till)
    pay(till, order, fee=60)
    pay_back(till, order, 10000)
    assert (holds(till, A.DUES), holds(till, A.MERCHANT_BALANCE), holds(till, A.GATEWAY_FEES)) == (60, 0, 0)
    following = place_order(till)
    pay(till, following)
    deliver(till, following)
    finish(till, following)
    assert (holds(till, A.DUES), holds(till, A.MERCHANT_BALANCE)) == (0, 9940)


def test_refunds_after_release_come_from_the_merchant_and_the_platforms_share(till, platform_fee):
    order = place_order(till)
    pay(till, order)
    deliver(till, order)
    finish(till, order)
    pay_back(till, order, 3333)
    assert (holds(till, A.PLATFORM_FEES), holds(till, A.MERCHANT_BALANCE)) == (67, 9900 - 3300)
    pay_back(till, order, 6667)
    assert {holds(till, kind) for kind in (A.PLATFORM_FEES, A.MERCHANT_BALANCE, A.DUES, A.ESCROW)} == {0}
    assert holds(till, A.CLEARING, CHANNEL) == 0


def test_never_more_goes_back_than_was_paid(till):
    order = place_order(till)
    pay(till, order)
    pay_back(till, order, 4000)
    with pytest.raises(flows.RefundTooLarge):
        pay_back(till, order, 6001)
    assert money_of(till, order).held == 6000


def test_what_a_supplier_charges_is_cost_and_what_it_returns_is_not(till):
    order_no = place_order(till)
    with scoped(till.scope) as session:
        order = lock(session, order_no)
        for flow, amount in ((flows.purchase_cost, 9500), (flows.purchase_returned, 500)):
            flow(session, order, supplier_id=3, amount=amount, cause="supplier:3:A1", actor=ACTOR)
    assert (holds(till, A.SUPPLIER_COST), holds(till, A.SUPPLIER_PREPAID, 3)) == (9000, -9000)


def test_legs_that_do_not_sum_to_zero_are_refused_twice(till):
    fields = {"home": till.merchant.home, "merchant_id": till.merchant.pk, "amount": 5, "actor": ACTOR}
    uneven = [debit(A.OUTSIDE, 5), credit(A.MERCHANT_BALANCE, 4)]
    with scoped(till.scope) as session, pytest.raises(ValueError, match="sum to zero"):
        post(session, PostingKind.OPENING, fact(), uneven, **fields)
    call = "select ledger_post(%s::smallint, %s, 'x', %s, 5, null, '{}', '', '{12,3}', '{0,0}', '{5,-4}')"
    with pytest.raises(psycopg.errors.CheckViolation, match="zero"), scoped(till.scope) as session:
        session.rows(call, (till.merchant.home, till.merchant.pk, fact()))


def test_entries_are_never_changed(till):
    pay(till, place_order(till))
    for statement in ("update ledger_entries set amount = 1", "delete from ledger_postings"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(till.scope) as session:
            session.run(statement)


def test_everybody_reads_their_own_part_of_the_ledger(till):
    top_up(till, 500)
    top_up(till, 700, "agent")
    other = make_till()
    counts = {
        "shop": till.scope,
        "buyer": till.buyer_scope,
        "agent": Scope(merchants=(till.agent.pk,), homes=(till.agent.home,)),
        "another": other.scope,
        "nobody": NOBODY,
    }
    seen = {}
    for name, scope in counts.items():
        with scoped(scope) as session:
            tables = ("ledger_postings", "ledger_entries", "ledger_accounts")
            seen[name] = tuple(session.rows(f"select count(*) from {table}")[0][0] for table in tables)
    assert seen == {
        "shop": (2, 4, 3),
        "buyer": (1, 1, 1),
        "agent": (1, 1, 1),
        "another": (0, 0, 0),
        "nobody": (0, 0, 0),
    }


def test_a_buyer_cannot_post(till):
    fields = {"home": till.merchant.home, "merchant_id": till.merchant.pk, "amount": 5, "actor": ACTOR}
    free = [debit(A.OUTSIDE, 5), credit(A.BUYER_WALLET, 5, till.buyer.pk)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(till.buyer_scope) as session:
        post(session, PostingKind.TOPUP, fact(), free, **fields)
    assert holds(till, A.BUYER_WALLET, till.buyer.pk) == 0
