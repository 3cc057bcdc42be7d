"""The live process: who may listen, and what each is told."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support import event_log
from tests.support.waiting import eventually

from chadan.platform.processes import tied

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stream:
    """An open stream, read frame by frame."""

    connection: http.client.HTTPConnection
    answer: http.client.HTTPResponse

    def next(self) -> tuple[str, Any, int]:
        """Event, data and position of the next frame."""
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode():
            if line == "\n" and "event" in fields:
                return fields["event"], json.loads(fields["data"]), int(fields["id"])
            name, _, value = line.strip().partition(": ")
            fields[name] = value
        raise AssertionError("the stream ended")


@dataclass
class Live:
    """The running process."""

    port: int
    web_port: int
    opened: list[http.client.HTTPConnection]

    def ask(self, client: Any, capacity: str = "", since: int | str = "", **headers: str) -> http.client.HTTPResponse:
        from django.conf import settings

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.opened.append(connection)
        if client is not None:
            headers["Cookie"] = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
        connection.request("GET", f"/live/orders?as={capacity}&since={since}", headers=headers)
        return connection.getresponse()

    def open(self, client: Any, capacity: str = "", since: int | str = "") -> Stream:
        answer = self.ask(client, capacity, since)
        assert answer.status == 200, answer.status
        return Stream(self.opened[-1], answer)


@pytest.fixture(scope="module")
def live(database: Any, data_folder: Path) -> Iterator[Live]:
    port, web_port = free_port(), free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHADAN_")}
    env |= {
        "CHADAN_DATA": str(data_folder),
        "CHADAN_LISTEN": f"127.0.0.1:{web_port}",
        "CHADAN_LIVE_LISTEN": f"127.0.0.1:{port}",
        "CHADAN_LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT / "src"),
    }
    process = subprocess.Popen(tied(sys.executable, "-m", "chadan.live"), env=env, start_new_session=True)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    running = Live(port, web_port, [])
    try:
        eventually(listens, "the live process")
        yield running
    finally:
        for connection in running.opened:
            connection.close()
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


@pytest.fixture(scope="module")
def sequencer(database: Any) -> Iterator[Any]:
    from chadan.eventlog.sequencer import Sequencer, owner_connection

    with owner_connection() as connection:
        made = Sequencer(connection)
        eventually(made.acquire, "the lock")  # a server ends a closed connection in its own time
        yield made


@pytest.fixture(scope="module")
def shops(database: Any) -> tuple[Any, Any]:
    from tests.support.people import make_shop

    return make_shop(2), make_shop(1)  # the second order of a shop was resold by its agent


def client_of(user: Any) -> Any:
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client


def happen(sequencer: Any, *orders: int) -> None:
    """One event of each order, sequenced one by one."""
    from chadan.orders import events
    from chadan.platform.scope import OPERATOR, scoped

    while sequencer.live().events + sequencer.backlog().events:
        pass
    for order in orders:
        with scoped(OPERATOR) as session:
            events.append(session, order, "test.touched", events.system("test"), {})
        sequencer.live()


def key(merchant: Any) -> str:
    return f"merchant:{merchant.pk}"


def test_each_hears_of_its_own_orders_and_of_no_others(live, sequencer, shops):
    from django.test import Client
    from tests.support.people import make_user

    mine, other = shops
    guest = Client()
    session = guest.session
    session["orders"] = [str(mine.orders[1])]
    session.save()
    operator = make_user("watcher", is_operator=True, buyer=False)
    happen(sequencer)
    streams = {
        "seller": live.open(client_of(mine.staff["support"]), key(mine.merchant)),
        "agent": live.open(client_of(mine.agent_owner), key(mine.agent)),
        "buyer": live.open(client_of(mine.buyer), "buyer"),
        "guest": live.open(guest),
        "operator": live.open(client_of(operator), "operator"),
        "other": live.open(client_of(other.staff["owner"]), key(other.merchant)),
        "other buyer": live.open(client_of(other.buyer), "buyer"),
    }
    for stream in streams.values():
        assert stream.next()[0] == "position"
    direct, resold, foreign = mine.orders[0], mine.orders[1], other.orders[0]
    happen(sequencer, direct, resold, foreign)
    heard = {
        "seller": [direct, resold],
        "agent": [resold],
        "buyer": [direct, resold],
        "guest": [resold],
        "operator": [direct, resold, foreign],
        "other": [foreign],
        "other buyer": [foreign],
    }
    for name, orders in heard.items():
        for order in orders:
            event, data, _position = streams[name].next()
            assert (event, data["orders"]) == ("orders", [f"{order:019d}"]), name


def test_a_guest_hears_of_what_it_proved_a_right_to_and_of_nothing_else(live, sequencer, shops):
    """By placing an order or by its lookup code; whoever else is signed in beside it in that browser."""
    from django.test import Client
    from tests.support.names import unique
    from tests.support.store import make_store, number_in, order, path_of

    merchant, product = make_store()
    contact = f"{unique('guest')}@example.com"
    placing, looking, guessing = Client(), Client(), Client()
    numbers = [
        number_in(order(client, path_of(merchant, product), contact=contact, code=code))
        for client, code in ((placing, "open sesame"), (Client(), "another code"))
    ]
    staff = client_of(shops[0].staff["owner"])
    for client in (looking, staff):
        assert client.post("/lookup", {"order": numbers[0], "code": "open sesame"}).status_code == 302
    guessing.post("/lookup", {"order": numbers[0], "code": "open says me"})
    guessing.get(f"/s/{merchant.slug}/order/{numbers[0]}")
    if "chadan_session" in guessing.cookies:
        assert live.ask(guessing, "guest").status == 401
    for wrong in ("buyer", "operator", key(merchant)):
        assert live.ask(staff, wrong).status == 401
    happen(sequencer)
    streams = [live.open(client, "guest") for client in (placing, looking, staff)]
    for stream in streams:
        assert stream.next()[0] == "position"
    happen(sequencer, int(numbers[1]), shops[0].orders[0], int(numbers[0]))
    for stream in streams:
        event, data, _position = stream.next()
        assert (event, data["orders"]) == ("orders", [numbers[0]])
    page = looking.get(f"/s/{merchant.slug}/order/{numbers[0]}")
    stream, poll = (re.search(rf'data-{name}="([^"]+)"', page.content.decode())[1] for name in ("live", "poll"))
    assert stream.endswith("/live/orders?as=guest") and f":{live.port}" not in stream
    since = re.search(r'data-since="(\d+)"', page.content.decode())[1]
    happen(sequencer, int(numbers[1]), int(numbers[0]))
    told = looking.get(f"{poll}&since={since}").json()
    assert told["orders"] == [numbers[0]], "and so a page that has to ask"
    assert Client().get(f"{poll}&since={since}").status_code == 401
    assert guessing.get(f"{poll}&since={since}").status_code == 401


def test_strangers_are_turned_away(live, shops):
    from django.test import Client

    mine, other = shops
    forged = Client()
    forged.cookies["chadan_session"] = "forged"
    assert live.ask(None).status == 401
    assert live.ask(forged).status == 401
    assert live.ask(client_of(mine.staff["owner"]), key(other.merchant)).status == 401
    assert live.ask(client_of(mine.staff["owner"]), "operator").status == 401
    assert live.ask(client_of(mine.staff["owner"])).status == 401, "a page names its capacity"


def test_a_changed_password_ends_what_its_sessions_may(live, shops):
    mine, _other = shops
    user = mine.staff["finance"]
    client = client_of(user)
    assert live.ask(client, key(mine.merchant)).status == 200
    user.set_password("another long one 17")
    user.save()
    assert live.ask(client, key(mine.merchant)).status == 401


def test_only_the_sites_own_pages_may_listen(live, shops):
    mine, _other = shops
    client, capacity = client_of(mine.staff["owner"]), key(mine.merchant)
    origin = f"http://127.0.0.1:{live.web_port}"
    answer = live.ask(client, capacity, Origin=origin)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    for foreign in ("http://127.0.0.1:1", f"https://127.0.0.1:{live.web_port}", "http://evil.example", "null"):
        answer = live.ask(client, capacity, Origin=foreign)
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    host = f"evil.example:{live.port}"
    assert live.ask(client, capacity, Host=host, Origin=f"http://evil.example:{live.web_port}").status == 403


def test_a_stream_that_continues_is_told_what_it_missed(live, sequencer, shops, database):
    from chadan.eventlog import reading

    mine, other = shops
    with event_log.connect(database) as owner:
        happen(sequencer)
        start = event_log.head(owner)
        happen(sequencer, mine.orders[0], other.orders[0], mine.orders[0])
        client = client_of(mine.staff["owner"])
        eventually(
            lambda: live.open(client, key(mine.merchant), since=start + 3).next()[2] >= start + 3, "the hub's position"
        )
        told = live.open(client, key(mine.merchant), since=start).next()
        assert told == ("orders", {"orders": [f"{mine.orders[0]:019d}"], "new": 1}, start + 3)
        for _ in range(reading.MOST_CHANGES + 1):
            event_log.write(owner, event_log.merchant())
        happen(sequencer)
        far = live.open(client, key(mine.merchant), since=start)
        assert far.next()[0] == "resync"


def test_a_page_without_a_stream_asks_for_the_same(sequencer, shops, database):
    from django.test import Client

    mine, other = shops
    with event_log.connect(database) as owner:
        happen(sequencer)
        start = event_log.head(owner)
    happen(sequencer, mine.orders[1], other.orders[0])

    def ask(client: Any, capacity: str) -> Any:
        return client.get("/orders/changes", {"as": capacity, "since": start})

    mine_too = [f"{mine.orders[1]:019d}"]
    for user, capacity, orders in (
        (mine.staff["owner"], key(mine.merchant), mine_too),
        (mine.agent_owner, key(mine.agent), mine_too),
        (mine.buyer, "buyer", mine_too),
        (other.staff["owner"], key(other.merchant), [f"{other.orders[0]:019d}"]),
    ):
        answer = ask(client_of(user), capacity)
        assert answer.json()["orders"] == orders
        assert answer.json()["position"] == start + 2
        assert answer["Cache-Control"] == "no-store"
    assert ask(Client(), "").status_code == 401
    assert ask(client_of(other.staff["owner"]), key(mine.merchant)).status_code == 401


def test_changed_rows_are_drawn_anew_and_new_ones_counted_by_the_lists_filter(shops):
    mine, other = shops
    client = client_of(mine.staff["owner"])
    direct, foreign = f"{mine.orders[0]:019d}", f"{other.orders[0]:019d}"
    asked = {"view": "sales", "date": "all", "row": f"{direct},{foreign},x", "fresh": f"{direct},{foreign}"}
    page = client.get("/m/orders/rows", asked).content.decode()
    assert page.count("<tr") == 1 and f'data-no="{direct}"' in page and foreign not in page
    assert "有 1 笔新订单，点击刷新" in page
    page = client.get("/m/orders/rows", asked | {"status": "failed"}).content.decode()
    assert f'data-no="{direct}"' in page, "a row that no longer matches is updated, not taken away"
    assert "笔新订单" not in page


def test_pages_may_connect_to_the_live_process_and_nowhere_else(shops):
    mine, _other = shops
    client = client_of(mine.staff["owner"])
    policy = client.get("/m/orders")["Content-Security-Policy"]
    assert "connect-src 'self' http://testserver:8001;" in policy + ";"
    assert "connect-src 'self';" in client.get("/keys")["Content-Security-Policy"] + ";"
