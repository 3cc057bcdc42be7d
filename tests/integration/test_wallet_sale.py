"""Purchases from a wallet, sold from stock at once: the same record as in three steps, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.wallet_buyer import buy, fill, order_of

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


@pytest.fixture
def shop() -> Any:
    from tests.support.stock_ground import make_card_shop

    shop = make_card_shop()
    shop.import_text(*(f"WALLET-CARD-{one:04d}" for one in range(5)))
    return shop


def in_three_steps(shop: Any, order: Any) -> int:
    from tests.support.stock_ground import TEST

    from chadan.delivery.dispatch import deliver
    from chadan.orders.placing import place
    from chadan.payments import facts
    from chadan.platform.scope import scoped

    with scoped(shop.scope) as session:
        order_no = place(session, order, TEST).order_no
        facts.pay_from_wallet(session, order_no, None, TEST)
    deliver(order_no)
    return order_no


RECORD = {
    "order": "select status, amount, paid, refunded, escrow, payment_method, quantity, cost, platform, event_seq,"
    " paid_at is not null, delivered_at is not null, escrow_until is not null from orders where order_no = %s",
    "payments": "select seq, channel_id, method, status, amount, right(out_no, 2), out_no = txn_no, paid_at is not null"
    " from order_payments where order_no = %s",
    "deliveries": "select seq, kind, status, delivered_at is not null from order_deliveries where order_no = %s",
    "checkout": "select contact, fields, return_path from order_checkouts where order_no = %s",
    "cards": "select line from order_cards where order_no = %s order by 1",
    "refs": "select kind, right(ref, 2) from external_refs where order_no = %s order by 1",
    "events": "select order_seq, type, biz ->> 'status', biz ->> 'before', biz ->> 'reason', biz ->> 'paid', per ->> 'contact',"
    " biz -> 'cards' from order_events where order_no = %s order by 1",
    "ledger": "select p.kind, a.kind, e.amount from ledger_entries e join ledger_postings p on p.id = e.posting_id"
    " join ledger_accounts a on a.id = e.account_id where e.order_no = %s order by 1, 2",
}


def record(order_no: int) -> dict[str, Any]:
    from tests.support.stock_ground import rows

    return {name: rows(sql, order_no) for name, sql in RECORD.items()}


def test_what_is_written_at_once_is_what_three_steps_write(shop: Any) -> None:
    fill(shop, 10_000)
    at_once = buy(shop, order_of(shop, 2))
    assert at_once is not None
    steps = record(in_three_steps(shop, order_of(shop, 2)))
    written = record(at_once)
    # In one transaction an order that is paid before it is placed has no "paid 0.00" of its first step to show.
    for events in (written["events"], steps["events"]):
        assert events[0][1:3] == ("order.placed", "pending_payment")
    written["events"], steps["events"] = written["events"][1:], steps["events"][1:]
    assert written == steps


def test_the_wallet_is_debited_and_an_empty_one_buys_nothing(shop: Any) -> None:
    from tests.support.stock_ground import rows

    from chadan.money import balances
    from chadan.platform.scope import scoped

    fill(shop, 1500)
    assert buy(shop, order_of(shop)) is not None
    with pytest.raises(balances.InsufficientBalance):
        buy(shop, order_of(shop))
    with scoped(shop.scope) as session:
        assert balances.wallet(session, shop.merchant.pk, "buyer", shop.buyer.pk) == 500
    sold = "select count(*) from stock_cards where merchant_id = %s and state = 1"
    assert rows(sold, shop.merchant.pk) == [(1,)]


def test_too_few_cards_sell_nothing_and_leave_the_wallet_alone(shop: Any) -> None:
    from chadan.money import balances
    from chadan.platform.scope import scoped

    fill(shop, 100_000)
    assert buy(shop, order_of(shop, 6)) is None
    with scoped(shop.scope) as session:
        assert balances.wallet(session, shop.merchant.pk, "buyer", shop.buyer.pk) == 100_000


def test_the_same_placement_is_sold_once(shop: Any) -> None:
    from chadan.platform.errors import Conflict

    fill(shop, 100_000)
    assert buy(shop, order_of(shop, once="cart-1")) is not None
    with pytest.raises(Conflict):
        buy(shop, order_of(shop, once="cart-1"))
    assert buy(shop, replace(order_of(shop), once="cart-2")) is not None


def test_a_job_tells_nobody_when_it_is_deferred(shop: Any) -> None:
    """A NOTIFY would make all sales commit one after the other (docs/decisions/042)."""
    from tests.support.stock_ground import rows

    told = "select tgname from pg_trigger where tgrelid = 'procrastinate_jobs'::regclass and tgenabled <> 'D'"
    assert not [name for (name,) in rows(told) if "notify_queue_job_inserted" in name]


def test_a_deferred_job_writes_one_row(shop: Any) -> None:
    from tests.support.stock_ground import rows

    from chadan.delivery import wallet_sale
    from chadan.platform.scope import scoped

    before = rows("select coalesce(max(id), 0) from procrastinate_jobs")[0][0]
    with scoped(shop.scope):
        wallet_sale.tell(1)
    assert rows("select count(*) from procrastinate_jobs where id > %s", before) == [(1,)]
    assert rows("select count(*) from procrastinate_events where job_id > %s", before) == [(0,)]


def test_buyers_at_once_spend_no_more_than_the_wallet_holds(shop: Any) -> None:
    """Eight purchases, money for three, cards for five: three are sold, and the row still counts what the entries sum to."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    from chadan.money import checks
    from chadan.money.balances import InsufficientBalance
    from chadan.platform.scope import scoped

    fill(shop, 3000)

    def attempt(_: int) -> bool:
        try:
            return buy(shop, order_of(shop)) is not None
        except InsufficientBalance:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(8))) == 3
    with scoped(shop.scope) as session:
        assert not [why for why in checks.check(session) if why.startswith(("Account", "Posting"))]
        assert session.rows("select count(*) from stock_cards where state = 0") == [(2,)]
