"""Who is told what: the hub's topics, its bounded queues, its limits."""

from __future__ import annotations

import asyncio
import json

import pytest

from chadan.eventlog.reading import Change
from chadan.live import hub as hubs
from chadan.live.hub import Hub, told
from chadan.live.topics import Topic, Visitor
from chadan.orders import number
from chadan.platform.scope import OPERATOR, Scope


def visitor(*topics: Topic, session: str = "s") -> Visitor:
    return Visitor(session, frozenset(topics), Scope())


def orders_in(data: bytes) -> list[str]:
    lines = data.decode().splitlines()
    return [no for line in lines if line.startswith("data: {") for no in json.loads(line[6:]).get("orders", [])]


SELLER, AGENT, BUYER = Topic("merchant", 7), Topic("merchant", 9), Topic("buyer", 5)
CHANGE = Change(order_no=2611224529600712343, merchant_id=7, agent_id=9, buyer_id=5)


@pytest.mark.parametrize("topic", [SELLER, AGENT, BUYER, Topic("operator"), Topic("order", CHANGE.order_no)])
def test_a_change_reaches_seller_agent_buyer_operator_and_guest(topic: Topic) -> None:
    hub = Hub()
    client = hub.join(visitor(topic))
    hub.tell([CHANGE], 12)
    assert orders_in(client.frames[0]) == [str(CHANGE.order_no)]
    assert client.frames[0].startswith(b"id: 12\n")


@pytest.mark.parametrize("topic", [Topic("merchant", 8), Topic("buyer", 7), Topic("order", 7)])
def test_a_change_reaches_nobody_else(topic: Topic) -> None:
    hub = Hub()
    client = hub.join(visitor(topic))
    hub.tell([CHANGE], 12)
    hub.mark([7], 13)
    hub.beat()
    assert [b"position" in frame for frame in client.frames] == [True]


def test_a_slow_page_is_told_to_look_anew_and_holds_no_more_than_its_queue() -> None:
    hub = Hub()
    client = hub.join(visitor(SELLER))
    for head in range(hubs.QUEUE + 1):
        hub.tell([CHANGE], head)
    assert len(client.frames) == 1
    assert b"event: resync" in client.frames[0]


def test_history_is_told_once_a_heartbeat() -> None:
    hub = Hub()
    mine, other = hub.join(visitor(SELLER)), hub.join(visitor(Topic("merchant", 8)))
    hub.mark([7], 5_000)
    hub.mark([7], 10_000)
    assert not mine.frames
    hub.beat()
    hub.beat()
    assert [b"resync" in frame for frame in mine.frames] == [True, False]
    assert [b"resync" in frame for frame in other.frames] == [False, False]


def test_streams_are_limited_in_all_and_per_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "MOST_STREAMS", 3)
    monkeypatch.setattr(hubs, "MOST_PER_SESSION", 2)
    hub = Hub()
    first = hub.join(visitor(SELLER))
    hub.join(visitor(SELLER))
    assert hub.full(visitor(SELLER))
    assert not hub.full(visitor(SELLER, session="other"))
    hub.join(visitor(SELLER, session="other"))
    assert hub.full(visitor(SELLER, session="third"))
    hub.part(first)
    hub.part(first)
    assert not hub.full(visitor(SELLER))


def test_a_stream_waits_and_ends() -> None:
    async def scene() -> tuple[bytes, bytes]:
        hub = Hub()
        client = hub.join(visitor(SELLER))
        waiting = asyncio.create_task(client.take())
        await asyncio.sleep(0)
        hub.tell([CHANGE], 3)
        first = await waiting
        hub.close()
        return first, await client.take()

    first, last = asyncio.run(scene())
    assert orders_in(first) == [str(CHANGE.order_no)]
    assert last == b""


def test_what_is_new_follows_from_the_number() -> None:
    now = number.make(number.now(), 7)
    assert told([now, CHANGE.order_no - 10**17]) == {
        "orders": [number.text(CHANGE.order_no - 10**17), number.text(now)],
        "new": 1,
    }


def test_the_operator_hears_of_everything() -> None:
    assert OPERATOR.operator
    hub = Hub()
    client = hub.join(visitor(Topic("operator")))
    hub.tell([CHANGE, Change(CHANGE.order_no + 1, 1, None, 2)], 4)
    assert len(orders_in(client.frames[0])) == 2
