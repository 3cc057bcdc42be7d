"""Processes that die in the worst moment, and a database nobody gets through to (rows 1 to 5 and 17)."""

from __future__ import annotations

import http.client
import random
import secrets
import threading
import time
from datetime import datetime
from typing import Any

import psycopg
import pytest
from tests.support.fault_ground import Ground
from tests.support.fault_guest import Guest, number_in
from tests.support.waiting import eventually

SEED = secrets.randbits(32)
NOBODY = (OSError, http.client.HTTPException)


@pytest.fixture(scope="module")
def shop(ground: Ground) -> dict[str, Any]:
    return ground.shop(400)


def test_row_01_web_killed_between_commit_and_answer(ground: Ground, shop: dict[str, Any]) -> None:
    site, guest = ground.site, ground.guest()
    form = guest.form(shop["page"])
    placed = "select order_no from order_checkouts where contact = %s"
    with site.held("django_session", "insert or update", "true"):
        click = Click(guest, shop["page"], form)
        click.start()
        (order_no,) = eventually(lambda: site.rows(placed, guest.contact), "the order's commit", 30)[0]
        eventually(site.stopped, "the web process at its answer", 30)
        site.kill("web")
        click.join(30)
    assert click.answer is None
    site.wait_ready()
    assert number_in(guest.ask("POST", shop["page"], form)) == order_no
    assert site.rows(placed, guest.contact) == [(order_no,)]

    guest.start(order_no, shop["channels"]["epay1"])
    out_no = ground.visited(order_no)
    with site.held("payment_callbacks", "update", f"new.order_no = {order_no}"):
        ground.sandbox.pay(out_no, "epay1")
        eventually(site.stopped, "the web process at its answer to the gateway", 30)
        assert ground.money(order_no) == (1000, 0), "committed before it is answered"
        site.kill("web")
    site.wait_ready()
    site.becomes(order_no, "delivered")
    told = eventually(lambda: [ok for _, _, ok in ground.answers(out_no, "epay1") if ok], "the gateway's repeat", 60)
    ground.record(
        "1",
        "kill -9 web after the commit, before the reply: of a placement, of a callback",
        "retry returns the same order; one delivery",
        f"same order; {len(told)} repeat taken; 1 delivery",
        [order_no],
    )


class Click(threading.Thread):
    """A click whose answer may never come."""

    def __init__(self, guest: Guest, path: str, form: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.guest, self.path, self.form = guest, path, form
        self.answer: Any = None

    def run(self) -> None:
        try:
            self.answer = self.guest.ask("POST", self.path, self.form)
        except NOBODY:
            self.answer = None


def test_row_02_postgres_killed_with_everything_under_it(ground: Ground, shop: dict[str, Any]) -> None:
    site = ground.site
    buyers = [Buyer(ground, shop) for _ in range(3)]
    for buyer in buyers:
        buyer.start()
    killed = []
    for _round in range(2):
        count = sum(len(buyer.ok) for buyer in buyers)
        eventually(lambda c=count: sum(len(buyer.ok) for buyer in buyers) >= c + 6, "orders", 60)  # type: ignore[misc]
        killed.append(site.kill_postgres())
        eventually(site.ready, "the database's return", 60)
    for buyer in buyers:
        buyer.enough.set()
    for buyer in buyers:
        buyer.join(90)
        assert not buyer.is_alive()
    acknowledged = [order for buyer in buyers for order in buyer.ok]
    unknown = sum(buyer.unknown for buyer in buyers)
    there = site.one("select count(*) from orders where order_no = any(%s)", acknowledged)
    assert there == len(acknowledged)
    order_no, out_no = ground.begin(shop)
    ground.sandbox.pay(out_no, "epay1")
    site.becomes(order_no, "delivered")
    ground.record(
        "2",
        f"kill -9 PostgreSQL and its children, {len(killed)}× under load ({sum(killed)} processes)",
        "no acknowledged loss",
        f"{there} of {len(acknowledged)} acknowledged orders there; {unknown} answers were errors",
        [*acknowledged, order_no],
    )


class Buyer(threading.Thread):
    """Orders one after the other, and notes what was acknowledged."""

    def __init__(self, ground: Ground, shop: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.ground, self.page = ground, shop["page"]
        self.ok: list[int] = []
        self.unknown = 0
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.is_set():
            try:
                self.ok.append(self.ground.guest().order(self.page))
            except (*NOBODY, AssertionError):
                self.unknown += 1
                time.sleep(0.05)


@pytest.fixture(scope="module")
def unheard(ground: Ground, shop: dict[str, Any]) -> list[int]:
    """Orders that are paid and of which no callback arrives; they are asked about while the worker is killed, and after."""
    deaf, orders = ground.shop(12), []
    for protocol, channel in deaf["channels"].items():
        ground.proxy.lost.append(f"/pay/notify/{channel}/")
        order_no, out_no = ground.begin(deaf, protocol)
        ground.sandbox.pay(out_no, protocol)
        orders.append(order_no)
    for seconds in LATE:
        order_no, out_no = ground.begin(deaf)
        asked_before(ground, order_no, seconds)
        ground.sandbox.pay(out_no)
        orders.append(order_no)
    return orders


LATE = (182, 907)
"""Seconds after the start at which payers pay who take their time: just after a look of the gateway's."""


def asked_before(ground: Ground, order_no: int, seconds: int) -> None:
    """Time passes for an attempt, and its gateway is asked once more before its payer pays."""
    ground.site.rows(
        "update order_payments set created_at = created_at - make_interval(secs => %s),"
        " expires_at = expires_at - make_interval(secs => %s) where order_no = %s",
        *(seconds, seconds, order_no),
    )
    ground.site.rows(
        "update procrastinate_jobs set scheduled_at = scheduled_at - make_interval(secs => %s) where status = 'todo'"
        " and task_name = 'payments.heal' and (args ->> 'order_no')::bigint = %s",
        *(seconds, order_no),
    )
    asked = "select queries from order_payments where order_no = %s"
    eventually(lambda: ground.site.one(asked, order_no), "a look", 60)


KILLS = 3
_LOG = """
select count(*), count(distinct leaf_index), coalesce(min(leaf_index), 0), coalesce(max(leaf_index) + 1, 0),
       (select next_index from event_log_head), count(*) filter (where leaf_index is null)
from order_events
"""
_TENANTS = """
select count(*) from (select merchant_id from order_events where leaf_index is not null group by merchant_id
                      having count(distinct tenant_seq) <> count(*) or max(tenant_seq) - min(tenant_seq) + 1 <> count(*)) as bad
"""
_ORDERS = """
select count(*) from order_events a join order_events b using (order_no, home)
where a.order_seq < b.order_seq and a.leaf_index > b.leaf_index
"""


def test_row_04_sequencer_killed_at_random_points(ground: Ground, shop: dict[str, Any]) -> None:
    site, moments = ground.site, random.Random(SEED)
    buyers = [Buyer(ground, shop) for _ in range(2)]
    for buyer in buyers:
        buyer.start()
    for _kill in range(KILLS):
        time.sleep(moments.uniform(0.05, 1.0))
        site.kill("eventlog")
    for buyer in buyers:
        buyer.enough.set()
    for buyer in buyers:
        buyer.join(60)
    orders = [order for buyer in buyers for order in buyer.ok]
    eventually(lambda: site.rows(_LOG)[0][5] == 0, "every event's place", 60)
    events, places, first, end, head, _none = site.rows(_LOG)[0]
    assert (events, first, end, head) == (places, 0, places, places), SEED
    assert (site.one(_TENANTS), site.one(_ORDERS)) == (0, 0), SEED
    ground.record(
        "4",
        f"kill -9 sequencer {KILLS}× at random points under load (seed {SEED})",
        "no gap, no position twice",
        f"{events} events at the positions 0 to {end - 1}; every merchant's and order's own sequence whole",
        orders,
    )


@pytest.mark.usefixtures("unheard")
def test_row_03_worker_killed_while_it_delivers(ground: Ground, shop: dict[str, Any]) -> None:
    site = ground.site
    order_no, out_no = ground.begin(shop)
    with site.held("order_deliveries", "insert", f"new.order_no = {order_no}"):
        ground.sandbox.pay(out_no, "epay1")
        eventually(site.stopped, "the worker with its card", 60)
        site.kill("worker")
        died = time.monotonic()
    site.becomes(order_no, "delivered", 120)
    seconds = time.monotonic() - died
    cards = site.one("select count(*) from stock_cards where order_no = %s", order_no)
    assert cards == 1 == len(ground.hand("cards_of", owner=shop["owner"], order_no=order_no))
    ground.record(
        "3",
        "kill -9 worker between claiming the card and delivering it",
        "resumed ≤ 60 s, one card",
        f"delivered {seconds:.0f} s later, {cards} card",
        [order_no],
    )
    assert seconds <= 60


def test_row_05_no_callback_ever_arrives(ground: Ground, unheard: list[int]) -> None:
    for order_no in unheard:
        ground.site.becomes(order_no, "delivered", 125)
    waits = [waited(ground, order_no) for order_no in unheard]
    dropped = sum(len(ground.proxy.of(word)) for word in ground.proxy.lost)
    heard = ground.site.one("select count(*) from payment_callbacks where order_no = any(%s)", unheard)
    ground.record(
        "5",
        "the proxy drops every callback (4 protocols)",
        "paid by query ≤ 2 min",
        f"{len(unheard)} of {len(unheard)} found, {max(waits[: -len(LATE)]):.0f} s after they paid at once and {max(waits[-len(LATE) :]):.0f} s after"
        f" they paid at minute 3 and 15 at the latest; {dropped} callbacks dropped, {heard} heard",
        unheard,
    )
    assert heard == 0
    assert dropped >= len(unheard)
    assert max(waits) <= 120


def waited(ground: Ground, order_no: int) -> float:
    """Seconds from the gateway's having the money until the order is paid."""
    out_no, paid = ground.site.rows(
        "select p.out_no, e.at from order_events e join order_payments p using (order_no, home)"
        " where e.order_no = %s and e.type = 'order.paid'",
        order_no,
    )[0]
    at = datetime.fromisoformat(ground.sandbox.payment(out_no)["paid_at"])
    return float((paid - at).total_seconds())


@pytest.mark.long
def test_row_17_a_transaction_that_stays_open_and_no_connection_left(ground: Ground, shop: dict[str, Any]) -> None:
    site = ground.site
    order_no, out_no = ground.begin(shop)
    refused, waited = locked_out(ground, order_no, out_no)
    site.becomes(order_no, "delivered", 90)
    full = no_connection_left(ground, shop)
    site.wait_ready()
    later, out_no = ground.begin(shop)
    ground.sandbox.pay(out_no, "epay1")
    site.becomes(later, "delivered", 90)
    ground.record(
        "17",
        "a transaction that holds the order and stays open; every connection taken",
        "timeouts fire, 503; provider retries",
        f"{refused} × 503 to the gateway within {waited:.0f} s, then taken; {full} with no connection left",
        [order_no, later],
    )


def locked_out(ground: Ground, order_no: int, out_no: str) -> tuple[int, float]:
    """Somebody's transaction holds the order while its payment is told. (callbacks refused, longest wait)."""
    with ground.site.connect(autocommit=False) as stranger:
        stranger.execute("select 1 from orders where order_no = %s for update", (order_no,))
        ground.sandbox.pay(out_no, "epay1")
        began = time.monotonic()
        status, _body, taken = eventually(lambda: statuses(ground, out_no), "an answer to the gateway", 90)[0]
        waited = time.monotonic() - began
        assert (status, taken) == (503, False)
        assert ground.guest().ask("GET", shop_front(ground, order_no)).status == 200, "others are served meanwhile"
        stranger.rollback()
    return sum(1 for one in statuses(ground, out_no) if one[0] == 503), waited


def statuses(ground: Ground, out_no: str) -> list[tuple[int, str, bool]]:
    """The answers the gateway has had, leaving out those that never came."""
    return [one for one in ground.answers(out_no, "epay1") if one[0]]


def shop_front(ground: Ground, order_no: int) -> str:
    """The address of the shop that sold the order."""
    slug = ground.site.one(
        "select m.slug from merchants m join orders o on o.merchant_id = m.id where o.order_no = %s", order_no
    )
    return f"/s/{slug}"


def no_connection_left(ground: Ground, shop: dict[str, Any]) -> int:
    """Everybody's connections are taken, and the web process has to open new ones. Returns what it answers."""
    taken: list[psycopg.Connection[Any]] = []
    try:
        take_all(ground, taken)
        ground.site.kill("web")
        eventually(lambda: take_all(ground, taken), "its own connections", 20)  # before it is back
        status: int = eventually(lambda: answer_of(ground, shop["page"]), "an answer", 60)
    finally:
        for connection in taken:
            connection.close()
    assert status == 503
    return status


def answer_of(ground: Ground, path: str) -> int:
    """The status of a page; 0 while nobody answers."""
    try:
        return ground.guest().ask("GET", path).status
    except NOBODY:
        return 0


def take_all(ground: Ground, taken: list[psycopg.Connection[Any]]) -> int:
    """Opens connections until the server has no more. Returns how many it got."""
    before = len(taken)
    for _connection in range(500):
        try:
            taken.append(ground.site.connect())
        except psycopg.OperationalError:
            break
    return len(taken) - before
