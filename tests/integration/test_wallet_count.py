"""A wallet's running count: whatever pays from it and adds to it at once, it holds what its entries sum to."""

from __future__ import annotations

import random
import threading

import pytest
from django.db import connections
from tests.support.money import ACTOR, fact, make_till, place_order, top_up

from chadan.money import balances, checks, flows
from chadan.money.accounts import AccountKind as A
from chadan.money.accounts import shown
from chadan.orders.transitions import lock
from chadan.platform.scope import scoped

pytestmark = pytest.mark.usefixtures("database")


def spend(till, order, fen):
    with scoped(till.scope) as session:
        flows.wallet_paid(session, lock(session, order), amount=fen, cause=fact(), actor=ACTOR)


def counted(till):
    """(what was counted, whether it ever was, the plain sum of entries) of the buyer's wallet."""
    with scoped(till.scope) as session:
        rows = session.rows(
            "select a.counted, a.counted_through > '-infinity', (select coalesce(sum(amount), 0)::bigint"
            " from ledger_entries where account_id = a.id) from ledger_accounts a where kind = 4 and merchant_id = %s",
            (till.merchant.pk,),
        )
    return rows[0]


def held(till):
    with scoped(till.scope) as session:
        return balances.wallet(session, till.merchant.pk, "buyer", till.buyer.pk)


def test_the_count_is_the_sum_of_entries(till):
    top_up(till, 100_000)
    order = place_order(till, 100_000)
    for _ in range(20):
        spend(till, order, 7)
    base, ever, total = counted(till)
    assert ever
    assert base == total
    assert shown(A.BUYER_WALLET, total) == held(till) == 100_000 - 20 * 7


def test_what_comes_and_goes_at_once_is_all_counted(till):
    """Four spend while two add and one looks: no entry is ever behind the count."""
    top_up(till, 100_000)
    orders = [place_order(till, 100_000) for _ in range(4)]
    wrong: list[object] = []

    def work(one):
        draw = random.Random(one)
        try:
            for _ in range(25):
                fen = draw.randint(1, 90)
                spend(till, orders[one], fen) if one < 4 else top_up(till, fen)
        except Exception as error:  # noqa: BLE001 - the test shows it
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(one,)) for one in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    base, ever, total = counted(till)
    assert ever
    assert base == total
    assert shown(A.BUYER_WALLET, total) == held(till)
    with scoped(till.scope) as session:
        assert not [why for why in checks.check(session) if why.startswith(("Account", "Posting"))]


def test_an_entry_is_never_older_than_the_count(till):
    """Even when the clock is set back: here the count is moved ahead of it."""
    top_up(till, 500)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "update ledger_accounts set counted = -500, counted_through = now() + interval '1 hour'"
            " where kind = 4 and merchant_id = %s",
            [till.merchant.pk],
        )
    order = place_order(till, 100_000)
    spend(till, order, 200)
    top_up(till, 30)
    assert held(till) == 330


def test_a_wrong_count_is_found(till):
    top_up(till, 500)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "update ledger_accounts set counted = -600, counted_through = now() where kind = 4 and merchant_id = %s",
            [till.merchant.pk],
        )
    with scoped(till.scope) as session:
        assert any("counted -100 fen away" in why for why in checks.check(session))


@pytest.fixture
def till(database):
    return make_till()
