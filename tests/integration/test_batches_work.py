"""Batches of tags and notes: what is frozen, what is done once, what is undone and what is left alone."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.names import PHONE

from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound

pytestmark = pytest.mark.integration
NAMES = count(1)


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(6)


def staff(shop, role="owner"):
    from tests.support.people import acting

    return acting(shop.staff[role])


def test_a_tag_is_added_once_with_one_event_each_and_taken_back(shop):
    from tests.support.batched import events, owner_rows, ready, tags_of, undone, worked

    from chadan.orders.remarks import add_tag

    add_tag(staff(shop), shop.orders[:2], "vip")
    before = tags_of(shop.orders)
    batch = ready(shop, "tag", numbers=shop.orders, tag="vip")
    assert (batch.state, batch.total, batch.able) == ("ready", 6, 4)
    worked(batch, chunk=3)
    assert (batch.state, batch.done, batch.skipped, batch.failed) == ("done", 4, 0, 0)
    assert events(shop.orders, "tag.added") == Counter(dict.fromkeys(shop.orders, 1))
    told = owner_rows(
        "select distinct biz ->> 'cause', biz ->> 'tag', (actor ->> 'id')::bigint from order_events"
        " where order_no = any(%s) and type = 'tag.added'",
        shop.orders[2:],
    )
    assert told == [(batch.cause, "vip", shop.staff["owner"].pk)]
    undone(batch)
    assert (batch.state, batch.undone, batch.kept, batch.done) == ("undone", 4, 0, 0)
    assert tags_of(shop.orders) == before


def test_notes_are_added_and_taken_back_with_their_words_on_record(shop):
    from tests.support.batched import events, owner_rows, ready, undone, worked

    notes = "select order_no, seq, body from order_notes where order_no = any(%s) order by 1, 2"
    before = owner_rows(notes, shop.orders)
    batch = worked(ready(shop, "note", numbers=shop.orders, note="核对过", role="finance"))
    assert batch.done == 6
    copies = owner_rows("select note from orders where order_no = any(%s)", shop.orders)
    assert all("核对过" in note for (note,) in copies)
    undone(batch, chunk=4)
    assert batch.undone == 6
    assert owner_rows(notes, shop.orders) == before
    assert not any(
        "核对过" in note for (note,) in owner_rows("select note from orders where order_no = any(%s)", shop.orders)
    )
    kept = owner_rows(
        "select per ->> 'note' from order_events where type = 'note.removed' and order_no = any(%s)", shop.orders
    )
    assert kept == [("核对过",)] * 6
    assert events(shop.orders, "note.removed") == Counter(dict.fromkeys(shop.orders, 1))


EDITS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["add", "remove"])), max_size=8)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    action=st.sampled_from(["tag", "untag"]),
    had=st.sets(st.integers(0, 5)),
    chosen=st.sets(st.integers(0, 5), min_size=1),
    edits=EDITS,
    chunk=st.sampled_from([1, 2, 500]),
)
def test_undoing_puts_back_exactly_what_nobody_touched_since(shop, action, had, chosen, edits, chunk):
    """Tags before and after are the same, but where somebody changed them by hand in between: that stays."""
    from tests.support.batched import ready, tags_of, undone, worked

    from chadan.catalog.models import Tag
    from chadan.orders.remarks import add_tag, remove_tag

    actor, name = staff(shop), f"t{next(NAMES)}"
    add_tag(actor, [shop.orders[place] for place in had] or shop.orders[:1], name)
    tag = Tag.objects.get(merchant=shop.merchant, name=name)
    if not had:
        remove_tag(actor, shop.orders[0], tag.pk)

    def tagged():
        return {shop.orders.index(row[0]): row[2:] for row in tags_of(shop.orders) if row[1] == tag.pk}

    before = tagged()
    batch = ready(shop, action, numbers=[shop.orders[place] for place in sorted(chosen)], tag=name)
    if not batch.able:
        with pytest.raises(Conflict):
            worked(batch)
        return
    worked(batch, chunk=chunk)
    changed = {place for place in chosen if (place in before) is (action == "untag")}
    assert set(tagged()) == (set(before) | chosen if action == "tag" else set(before) - chosen)
    touched = set()
    for place, edit in edits:
        there = place in tagged()
        if edit == "add":
            add_tag(actor, [shop.orders[place]], name)
        else:
            remove_tag(actor, shop.orders[place], tag.pk)
        touched |= {place} if there is (edit == "remove") else set()
    by_hand = tagged()
    undone(batch, chunk=chunk)
    expected = {place: before.get(place) if place in changed - touched else by_hand.get(place) for place in range(6)}
    assert tagged() == {place: row for place, row in expected.items() if row is not None}
    assert (batch.undone, batch.kept) == (len(changed - touched), len(changed & touched))


def test_what_begins_to_match_after_the_preview_is_not_included(shop):
    from tests.support.batched import confirmed, go, outcome, owner_rows, ready
    from tests.support.people import make_order, make_version

    from chadan.search.order_query import OrderQuery

    query = OrderQuery(platform=("frozen",))
    version = make_version(shop.merchant)
    inside = [make_order(shop.merchant, shop.buyer.buyer, version, platform="frozen") for _ in range(3)]
    older = make_order(shop.merchant, shop.buyer.buyer, version, platform="else")
    batch = ready(shop, "tag", query=query, tag="frozen")
    assert batch.able == 3
    owner_rows("update orders set platform = 'frozen' where order_no = %s", older)
    make_order(shop.merchant, shop.buyer.buyer, version, platform="frozen")
    owner_rows("update orders set platform = 'else' where order_no = %s", inside[0])
    confirmed(batch)
    go(batch)
    assert outcome(batch) == dict.fromkeys(inside, ("done", "")), "what was previewed, and nothing else"


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({"sort": {"by": "amount", "dir": "desc"}, "limit": 2}, [5, 4]),
        ({"sort": {"by": "placed_at", "dir": "asc"}, "limit": 2}, [0, 1]),
        ({"limit": 3}, [5, 4, 3]),
        ({"sort": {"by": "amount", "dir": "asc"}}, [0, 1, 2, 3, 4, 5]),
        ({"account": {"suffix": PHONE[-4:]}}, [0, 1, 2, 3, 4, 5]),
        ({"order_no": {"equals": "{1}"}}, [1]),
    ],
)
def test_a_query_is_frozen_as_the_list_shows_it(database, fields, places):
    from datetime import UTC, datetime, timedelta

    from tests.support.batched import outcome, ready
    from tests.support.people import make_order, make_shop, make_version

    from chadan.orders import number
    from chadan.search.order_query import OrderQuery

    shop = make_shop(0)
    version, start = make_version(shop.merchant), datetime.now(UTC) - timedelta(hours=9)
    shop.orders = [
        make_order(shop.merchant, shop.buyer.buyer, version, at=start + timedelta(hours=hour), amount=1000 + hour)
        for hour in range(6)
    ]
    if "order_no" in fields:
        fields = {"order_no": {"equals": [number.text(shop.orders[1])]}}
    batch = ready(shop, "note", query=OrderQuery.from_dict(fields), note="x")
    assert set(outcome(batch)) == {shop.orders[place] for place in places}


def test_nothing_to_act_on_makes_no_batch(shop):
    from tests.support.batched import ready
    from tests.support.people import make_shop

    from chadan.batches.models import Batch
    from chadan.orders import number
    from chadan.orders.states import OrderStatus
    from chadan.search.order_query import Exclude, OrderQuery

    before = Batch.objects.count()
    contradiction = OrderQuery(status=(OrderStatus.PAID,), exclude=Exclude(status=(OrderStatus.PAID,)))
    for query in (OrderQuery(platform=("nowhere",)), contradiction):
        with pytest.raises(InvalidInput, match=r".+"):
            ready(shop, "tag", query=query, tag="x")
    other = make_shop(1)
    said = set()
    for numbers in (other.orders, [number.make(number.now(), shop.merchant.home)]):
        with pytest.raises(NotFound) as refused:
            ready(shop, "tag", numbers=numbers, tag="x")
        said.add(str(refused.value))
    assert len(said) == 1, "another's order and one that does not exist answer the same"
    with pytest.raises(InvalidInput):
        ready(shop, "tag", tag="x")
    assert Batch.objects.count() == before


def test_anothers_order_among_ones_own_is_untouched(shop):
    from tests.support.batched import outcome, ready, tags_of, worked
    from tests.support.people import make_shop

    from chadan.orders import number
    from chadan.search.order_query import OrderQuery

    other, missing = make_shop(1).orders[0], number.make(number.now(), shop.merchant.home)
    batch = worked(ready(shop, "tag", numbers=[shop.orders[0], other, missing], tag="mine"))
    assert outcome(batch) == {
        shop.orders[0]: ("done", ""),
        other: ("skipped", "not_found"),
        missing: ("skipped", "not_found"),
    }
    assert tags_of([other]) == []
    with pytest.raises(Forbidden):
        ready(shop, "tag", query=OrderQuery(), view="purchases", tag="x")


@pytest.mark.parametrize(
    ("role", "refused"),
    [("owner", set()), ("operator", set()), ("support", {"refund"}), ("finance", {"tag", "untag", "retry", "deliver"})],
)
def test_each_role_prepares_what_it_may(shop, role, refused):
    from tests.support.batched import ready

    texts = {"tag": "role", "note": "n", "reason": "r"}
    for action in ("tag", "untag", "note", "retry", "deliver", "refund", "export"):
        if action in refused:
            with pytest.raises(Forbidden):
                ready(shop, action, numbers=shop.orders, role=role, **texts)
        else:
            assert ready(shop, action, numbers=shop.orders, role=role, **texts).total == 6


def test_a_right_lost_after_the_preview_stops_it(shop):
    from tests.support.batched import confirmed, events, go, ready

    from chadan.accounts.models import Membership, Role

    first = ready(shop, "tag", numbers=shop.orders, tag="lost", role="support")
    seat = Membership.objects.filter(user=shop.staff["support"], merchant=shop.merchant)
    before = events(shop.orders, "tag.added")
    confirmed(first)
    seat.update(role=Role.FINANCE)
    try:
        go(first)
        assert first.state == "failed" and first.error and first.done == 0
        assert events(shop.orders, "tag.added") == before
        with pytest.raises(Forbidden):
            confirmed(ready(shop, "tag", numbers=shop.orders, tag="lost", role="support"))
    finally:
        seat.update(role=Role.SUPPORT)
    from chadan.batches import services

    services.resume(staff(shop, "support"), first.pk)
    assert go(first).state == "done"


def test_an_old_preview_is_refused_and_forgotten(shop):
    from datetime import timedelta

    from django.utils import timezone
    from tests.support.batched import confirmed, owner_rows, ready

    from chadan.batches import services
    from chadan.batches.models import Batch

    batch = ready(shop, "note", numbers=shop.orders, note="old")
    kept = ready(shop, "note", numbers=shop.orders, note="new")
    Batch.objects.filter(pk=batch.pk).update(created_at=timezone.now() - timedelta(hours=30))
    batch.refresh_from_db()
    with pytest.raises(Conflict):
        confirmed(batch)
    assert services.forget_drafts() >= 1
    assert not Batch.objects.filter(pk=batch.pk).exists()
    counted = "select count(*) from batch_orders where batch_id = %s"
    assert owner_rows(counted, batch.pk) == [(0,)] and owner_rows(counted, kept.pk) == [(6,)]
