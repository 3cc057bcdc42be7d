"""More buyers than cards, and clocks that are wrong (rows 11 and 19)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.support.fault_ground import Ground
from tests.support.fault_guest import Guest
from tests.support.waiting import eventually

DAY = 86_400


@pytest.mark.parametrize(("buyers", "cards"), [(40, 25), pytest.param(800, 500, marks=pytest.mark.long)])
def test_row_11_more_buyers_than_cards_each_clicking_twice(ground: Ground, buyers: int, cards: int) -> None:
    site, shop = ground.site, ground.shop(cards)
    with ThreadPoolExecutor(8) as crowd:
        orders = list(crowd.map(lambda _buyer: clicks_twice(ground, shop), range(buyers)))
        assert len(set(orders)) == buyers == site.one("select count(*) from orders where order_no = any(%s)", orders)
        list(crowd.map(lambda order: pays(ground, order), orders))
    left = "select count(*) from orders where order_no = any(%s) and status = 0"
    eventually(lambda: site.one(left, orders) == 0, "the payments", 30 + buyers)
    delivered = "select count(*) from orders where order_no = any(%s) and status = 3"
    waiting = (
        "select count(*) from orders o where o.order_no = any(%s) and o.status = 1 and exists (select 1"
        " from order_deliveries d where d.order_no = o.order_no and d.status = 0 and d.reason <> '')"
    )
    eventually(lambda: site.one(waiting, orders) == buyers - cards, "those who get none", 30 + buyers)
    eventually(lambda: site.one(delivered, orders) == cards, "those who get a card", 30 + buyers)
    distinct = site.one("select count(distinct blind) from order_cards where order_no = any(%s)", orders)
    sold = site.one("select count(*) from stock_cards where product_id = %s and state = 1", shop["product"])
    free = site.one("select count(*) from stock_cards where product_id = %s and state = 0", shop["product"])
    assert (distinct, sold, free) == (cards, cards, 0)
    ground.record(
        "11" if buyers == 800 else "11 short",
        f"{buyers} buyers, {cards} cards, every click twice",
        f"{cards} distinct cards, {buyers - cards} told they wait; oversold 0",
        f"{distinct} distinct cards in {cards} orders, {site.one(waiting, orders)} wait with a reason; oversold {sold - cards}",
        orders,
    )


def clicks_twice(ground: Ground, shop: dict[str, Any]) -> int:
    """One buyer's two clicks at once on each button; returns the order."""
    from tests.support.fault_guest import number_in

    guest = ground.guest()
    form = guest.form(shop["page"])
    both = twin(guest)
    with ThreadPoolExecutor(2) as hands:
        answers = list(hands.map(lambda one: one.ask("POST", shop["page"], form), (guest, both)))
        order_no, again = (number_in(answer) for answer in answers)
        assert order_no == again
        started = list(hands.map(lambda one: one.start(order_no, shop["channels"]["epay1"]), (guest, both)))
    assert 302 in {answer.status for answer in started}
    return order_no


def twin(guest: Guest) -> Guest:
    """The same browser, so that its two hands do not share a dict."""
    return Guest(guest.url, dict(guest.cookies), guest.address, guest.contact)


def pays(ground: Ground, order_no: int) -> None:
    """The buyer pays at the gateway, and says so twice."""
    out_no = ground.visited(order_no)
    ground.sandbox.pay(out_no, "epay1")
    ground.sandbox.pay(out_no, "epay1")


@pytest.mark.parametrize("shift", [-DAY, DAY])
def test_row_19_a_clock_that_is_a_day_wrong(ground: Ground, shift: int) -> None:
    """The process that takes the order has a wrong clock; the database and the worker have the right one."""
    site, shop = ground.site, ground.shop(4)
    wrong = [ground.hand("order_at", shift=shift, page=shop["page"], channel=shop["channels"]["epay1"])["order_no"]]
    right, right_no = ground.begin(shop)
    sweeps = "select count(*) from procrastinate_jobs where task_name = 'orders.sweep_unpaid' and status = 'succeeded'"
    before = site.one(sweeps)
    eventually(lambda: site.one(sweeps) > before, "a look for orders whose time is over", 60)
    assert site.status(wrong[0]) == "pending_payment"
    minutes = site.one(
        "select extract(epoch from c.expires_at - e.at) / 60 from order_checkouts c join order_events e"
        " using (order_no, home) where c.order_no = %s and e.order_seq = 1",
        wrong[0],
    )
    assert 29 < minutes < 31
    buyer_can_go_on(ground, shop, wrong[0])
    ground.sandbox.pay(ground.visited(wrong[0]), "alipay")
    ground.sandbox.pay(right_no, "epay1")
    for order_no in (wrong[0], right):
        site.becomes(order_no, "delivered")
        seqs = site.rows("select order_seq, at from order_events where order_no = %s order by order_seq", order_no)
        assert [seq for seq, _at in seqs] == list(range(1, len(seqs) + 1))
        assert [at for _seq, at in seqs] == sorted(at for _seq, at in seqs), "events carry the database's time"
    hours = site.one("select extract(epoch from escrow_until - now()) / 3600 from orders where order_no = %s", wrong[0])
    assert 23 < hours < 25
    ground.record(
        f"19 {'−' if shift < 0 else '+'}1 day",
        "the web process's clock is a day wrong",
        "events in order, no early expiry",
        f"{minutes:.0f} minutes to pay and {hours:.0f} hours of escrow by the database's clock, events in order, delivered",
        [*wrong, right],
    )


def buyer_can_go_on(ground: Ground, shop: dict[str, Any], order_no: int) -> None:
    """Another payment of the order can be started, by the clock of a process that is right."""
    answer = ground.hand("start_again", order_no=order_no, channel=shop["channels"]["alipay"])
    assert answer == {"show": "redirect"}, answer
