"""Rules that tag orders: what they put on and take off, and that they never run in circles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support import event_log
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def sequencer(database: Any) -> Iterator[Any]:
    from chadan.eventlog.sequencer import Sequencer, owner_connection

    with owner_connection() as connection:
        made = Sequencer(connection)
        eventually(made.acquire, "the lock")
        yield made


@pytest.fixture
def shop(database: Any) -> Any:
    from tests.support.people import make_shop

    return make_shop(0)


def owner_of(shop: Any) -> Any:
    from tests.support.people import acting

    return acting(shop.staff["owner"])


def make_rule(shop: Any, tag: str, text: str = "", **given: Any) -> Any:
    from chadan.search.beside import Beside
    from chadan.tagging import rules

    beside = Beside(**{name: given.pop(name) for name in list(given) if name in Beside.__slots__})
    enabled = given.pop("enabled", True)
    return rules.save(
        owner_of(shop), rules.Wanted(f"rule {tag} {text}"[:60], tag, text, beside, **given), enabled=enabled
    )


def place(shop: Any, **columns: Any) -> int:
    from tests.support.people import make_order, make_version

    if not hasattr(shop, "version"):
        shop.version = make_version(shop.merchant)
    return make_order(shop.merchant, columns.pop("buyer", shop.buyer.buyer), shop.version, **columns)


def move(order_no: int, to: str) -> None:
    from chadan.orders import events
    from chadan.orders.states import OrderStatus
    from chadan.orders.transitions import transition
    from chadan.platform.scope import OPERATOR, scoped

    with scoped(OPERATOR) as session:
        transition(session, order_no, OrderStatus(to), actor=events.system("test"), reason="moved by a test")


def follow(sequencer: Any) -> int:
    """Sequences everything and feeds the rules' consumer until it has read it; returns how many events it read."""
    from chadan.eventlog.consumers import REGISTRY, step
    from chadan.tagging import consumers

    read = 0
    while True:
        while sequencer.live().events + sequencer.backlog().events:
            pass
        done = step(REGISTRY[consumers.NAME])
        if not done:
            return read
        read += done


def tags(order_no: int) -> set[str]:
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select t.name, x.rule_id, t.id = any(coalesce(o.tags, '{}')) from order_tags x join tags t on t.id = x.tag_id"
            " join orders o on o.order_no = x.order_no where x.order_no = %s",
            [order_no],
        )
        rows = cursor.fetchall()
        cursor.execute("select coalesce(cardinality(tags), 0) from orders where order_no = %s", [order_no])
        assert cursor.fetchone()[0] == len(rows), "the order's copy says the same"
    assert all(row[2] for row in rows)
    return {row[0] for row in rows}


def tag_events(order_no: int) -> list[tuple[str, str]]:
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select type, biz ->> 'tag' from order_events where order_no = %s and type like 'tag.%%' order by order_seq",
            [order_no],
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]


def test_a_rule_tags_what_matches_and_takes_the_tag_off_again(shop, sequencer):
    from chadan.orders.states import OrderStatus

    follow(sequencer)
    make_rule(shop, "异常订单", "status:failed|after_sale")
    order_no = place(shop, status=OrderStatus.PROCESSING.code, completed_at=None)
    follow(sequencer)
    assert tags(order_no) == set()
    move(order_no, "failed")
    follow(sequencer)
    assert tags(order_no) == {"异常订单"}
    move(order_no, "processing")
    follow(sequencer)
    assert tags(order_no) == set()
    assert tag_events(order_no) == [("tag.added", "异常订单"), ("tag.removed", "异常订单")]
