"""Rules that tag orders: what they put on and take off, and that they never run in circles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
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


def touch(order_no: int) -> None:
    """Something happens to the order that changes nothing about it."""
    from chadan.orders import events
    from chadan.platform.scope import OPERATOR, scoped

    with scoped(OPERATOR) as session:
        events.append(session, order_no, "test.touched", events.system("test"), {})


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


def test_a_tag_put_on_by_hand_stays_whatever_rules_say(shop, sequencer):
    from chadan.orders import remarks
    from chadan.orders.states import OrderStatus

    follow(sequencer)
    make_rule(shop, "failing", "status:failed")
    by_hand, both = (place(shop, status=OrderStatus.FAILED.code, completed_at=None) for _ in range(2))
    remarks.add_tag(owner_of(shop), [by_hand], "failing")
    follow(sequencer)
    remarks.add_tag(owner_of(shop), [both], "failing")  # the rule was first; now it is a person's
    for order_no in (by_hand, both):
        move(order_no, "processing")
    follow(sequencer)
    assert tags(by_hand) == tags(both) == {"failing"}
    assert tag_events(both) == [("tag.added", "failing")]


def test_rules_that_are_off_or_keep_their_tags_change_nothing(shop, sequencer):
    from chadan.orders.states import OrderStatus
    from chadan.tagging import rules

    follow(sequencer)
    off = make_rule(shop, "off", "status:failed", enabled=False)
    make_rule(shop, "kept", "status:failed", removes=False)
    order_no = place(shop, status=OrderStatus.PROCESSING.code, completed_at=None)
    move(order_no, "failed")
    follow(sequencer)
    assert tags(order_no) == {"kept"}
    move(order_no, "processing")
    follow(sequencer)
    assert tags(order_no) == {"kept"}
    rules.switch(owner_of(shop), off, on=True)
    move(order_no, "failed")
    follow(sequencer)
    assert tags(order_no) == {"kept", "off"}
    rules.switch(owner_of(shop), off, on=False)
    move(order_no, "processing")
    follow(sequencer)
    assert tags(order_no) == {"kept", "off"}, "a rule that is off takes nothing off"


def test_what_happened_before_a_rule_is_the_past_and_a_job_applies_it(shop, sequencer):
    from chadan.orders.states import OrderStatus
    from chadan.tagging import jobs
    from chadan.tagging import tags as shop_tags

    old = [place(shop, status=OrderStatus.FAILED.code, completed_at=None) for _ in range(3)]
    other = place(shop)
    rule = make_rule(shop, "failing", "status:failed")
    follow(sequencer)
    assert all(tags(order_no) == set() for order_no in old)
    job = shop_tags.apply(owner_of(shop), rule)
    jobs.run(job.pk)
    jobs.run(job.pk)  # a job that comes twice does nothing twice
    assert [tags(order_no) for order_no in (*old, other)] == [{"failing"}] * 3 + [set()]
    assert [tag_events(order_no) for order_no in old] == [[("tag.added", "failing")]] * 3
    job.refresh_from_db()
    assert (job.state, job.changed, job.done) == ("done", 3, 6), "three to tag, and the three looked at again"
    move(old[0], "processing")
    move(old[1], "processing")
    jobs.run(shop_tags.apply(owner_of(shop), rule).pk)
    assert [tags(order_no) for order_no in old] == [set(), set(), {"failing"}]


def test_a_rule_of_a_rules_tag_follows_in_one_pass_and_rings_cannot_be_made(shop, sequencer):
    from chadan.orders.states import OrderStatus
    from chadan.platform.errors import InvalidInput
    from chadan.tagging import rules

    follow(sequencer)
    second = make_rule(shop, "second", "tag:first amount:>50")
    make_rule(shop, "first", "status:failed")
    make_rule(shop, "calm", "-tag:first -tag:second")
    order_no = place(shop, status=OrderStatus.PROCESSING.code, completed_at=None)
    move(order_no, "failed")
    assert follow(sequencer) > 0
    assert tags(order_no) == {"first", "second"}
    move(order_no, "processing")
    follow(sequencer)
    assert tags(order_no) == {"calm"}
    before = tag_events(order_no)
    follow(sequencer)
    assert tag_events(order_no) == before, "what rules did is not evaluated again"
    for tag, text in (("first", "-tag:first"), ("first", "tag:second"), ("first", "tag:calm status:paid")):
        with pytest.raises(InvalidInput, match=r"ring|循环"):
            make_rule(shop, tag, text)
    with pytest.raises(InvalidInput):
        rules.save(owner_of(shop), rules.Wanted("x", "second", "tag:calm"), second)


def test_two_rules_for_one_tag_are_alternatives(shop, sequencer):
    from chadan.orders.states import OrderStatus

    follow(sequencer)
    make_rule(shop, "look", "status:failed")
    make_rule(shop, "look", "amount:>=100")
    cheap, dear = (
        place(shop, status=OrderStatus.PROCESSING.code, completed_at=None, amount=fen) for fen in (100, 20_000)
    )
    for order_no in (cheap, dear):
        move(order_no, "failed")
    follow(sequencer)
    assert tags(cheap) == tags(dear) == {"look"}
    for order_no in (cheap, dear):
        move(order_no, "processing")
    follow(sequencer)
    assert tags(cheap) == set() and tags(dear) == {"look"}
    assert tag_events(dear) == [("tag.added", "look")]


def test_an_overdue_order_is_tagged_by_the_clock(shop, sequencer):
    from datetime import UTC, datetime, timedelta

    from django.utils import translation

    from chadan.orders.states import OrderStatus
    from chadan.tagging import clock, rules

    follow(sequencer)
    with translation.override("zh-hans"):  # the rule is named in the language of who switches it on
        rules.switch_on_ready_made(owner_of(shop), "anomaly")
    late = datetime.now(UTC) - timedelta(hours=2)
    paid = {"status": OrderStatus.PAID.code, "completed_at": None}
    overdue = place(shop, at=late, paid_at=late, **paid)
    fresh = place(shop, **paid)
    follow(sequencer)
    assert tags(overdue) == set(), "nothing happened to it"
    clock.look()
    assert tags(overdue) == {"异常订单"} and tags(fresh) == set()
    assert clock.look() == 0
    move(overdue, "delivered")
    follow(sequencer)
    assert tags(overdue) == set()


def test_a_window_that_moves_means_nothing_to_a_rule(shop):
    from chadan.platform.errors import ChadanError

    for text in ("date:7d", "date:今天 status:paid", "date:2026-01-01..today", "", "nothing:here", "view:consumer"):
        with pytest.raises(ChadanError):
            make_rule(shop, "x", text)
    make_rule(shop, "x", "date:2026-01-01.. status:paid")


STATES = ["paid", "processing", "failed", "delivered", "completed", "after_sale", "refunded", "cancelled"]
NAIVE_RULES = {
    "trouble": ("status:failed|after_sale", {}),
    "dear": ("amount:>=50 -status:cancelled", {}),
    "agent": ("view:agent", {}),
    "twice": ("", {"buyer_orders": 2, "buyer_days": 30}),
    "ever": ("", {"buyer_orders": 3}),
    "worse": ("tag:trouble -tag:dear", {}),
    "fine": ("-tag:trouble status:completed", {}),
}


def naive(order: dict[str, Any], everything: list[dict[str, Any]]) -> set[str]:
    """What an order should bear, said plainly."""
    from datetime import timedelta

    found = set()
    if order["status"] in ("failed", "after_sale"):
        found.add("trouble")
    if order["amount"] >= 5000 and order["status"] != "cancelled":
        found.add("dear")
    if order["agent"]:
        found.add("agent")
    done = [
        other["at"]
        for other in everything
        if other["buyer"] == order["buyer"] and other["status"] == "completed" and other["no"] <= order["no"]
    ]
    if sum(at >= order["at"] - timedelta(days=30) for at in done) >= 2:
        found.add("twice")
    if len(done) >= 3:
        found.add("ever")
    if "trouble" in found and "dear" not in found:
        found.add("worse")
    if "trouble" not in found and order["status"] == "completed":
        found.add("fine")
    return found


def test_after_any_transitions_the_tags_are_what_the_naive_evaluator_says(database, sequencer):
    from datetime import UTC, datetime, timedelta

    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st
    from tests.support.people import make_shop, make_user

    from chadan.orders.states import OrderStatus
    from chadan.orders.transitions import ALLOWED

    placed = st.tuples(st.integers(0, 50), st.sampled_from([900, 8000]), st.booleans(), st.booleans())
    steps = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(STATES), st.booleans()), max_size=25)

    @settings(max_examples=15, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
    @given(orders=st.lists(placed, min_size=1, max_size=6), steps=steps)
    def tried(orders: Any, steps: Any) -> None:
        shop = make_shop(0)
        follow(sequencer)
        for tag, (text, beside) in NAIVE_RULES.items():
            make_rule(shop, tag, text, **beside)
        buyers = [shop.buyer.buyer, make_user("second").buyer]
        known = []
        for days, amount, through_agent, second in orders:
            at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)
            buyer = buyers[second]
            no = place(shop, at=at, amount=amount, agent=shop.agent if through_agent else None, buyer=buyer,
                       status=OrderStatus.PENDING_PAYMENT.code, paid_at=None, completed_at=None)  # fmt: skip
            touch(no)  # the helper's own event is as old as the order
            known.append({"no": no, "at": at, "amount": amount, "agent": through_agent, "buyer": buyer.pk,
                          "status": "pending_payment", "before": None})  # fmt: skip
        for which, to, now in steps:
            order = known[which % len(known)]
            back = order["status"] == "after_sale" and to == order["before"]
            if to in ALLOWED[OrderStatus(order["status"])] or back:
                move(order["no"], to)
                order["before"] = order["status"] if to == "after_sale" else None
                order["status"] = to
            if now:
                follow(sequencer)
        follow(sequencer)
        for order in known:
            assert tags(order["no"]) == naive(order, known), order

    tried()
