"""Batches against a real database: what is frozen, what is done to it once, what is undone."""

from __future__ import annotations

from collections import Counter

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(6)


def staff(shop, role="owner"):
    from tests.support.people import acting

    return acting(shop.staff[role])


def ready(shop, action, *, numbers=(), query=None, role="owner", view="", **texts):
    from chadan.batches import services
    from chadan.batches.actions import Action
    from chadan.batches.services import Wanted

    wanted = Wanted(query=query, view=view, numbers=tuple(numbers))
    return services.prepare(staff(shop, role), Action(action), wanted, texts)


def worked(batch, *, chunk=500, progress=None):
    from tests.support.people import acting

    from chadan.batches import runner, services

    services.confirm(acting(batch.user), batch.pk, str(batch.able))
    runner.run(batch.pk, progress, runner.Pace(chunk=chunk))
    batch.refresh_from_db()
    return batch


def undone(batch, *, chunk=500):
    from tests.support.people import acting

    from chadan.batches import runner, services

    services.undo(acting(batch.user), batch.pk)
    runner.run(batch.pk, None, runner.Pace(chunk=chunk))
    batch.refresh_from_db()
    return batch


def rows_of(batch):
    from tests.support.people import acting

    from chadan.batches import rows
    from chadan.platform.scope import scoped

    with scoped(acting(batch.user).scope) as session:
        return rows.results(session, batch.pk, rows.ALL, None, 0, 1_000_000)


def owner_rows(sql, *values):
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def tags_of(numbers):
    found = owner_rows(
        "select order_no, tag_id, author_id, created_at from order_tags where order_no = any(%s) order by 1, 2",
        list(numbers),
    )
    copies = dict(owner_rows("select order_no, tags from orders where order_no = any(%s)", list(numbers)))
    for number in numbers:
        assert (copies[number] or []) == [row[1] for row in found if row[0] == number]
    return found


def events(numbers, kind):
    return Counter(
        row[0]
        for row in owner_rows(
            "select order_no from order_events where order_no = any(%s) and type = %s", list(numbers), kind
        )
    )


def test_a_tag_is_added_once_with_one_event_each_and_taken_back(shop):
    from chadan.orders.remarks import add_tag

    add_tag(staff(shop), shop.orders[:2], "vip")
    before = tags_of(shop.orders)
    batch = ready(shop, "tag", numbers=shop.orders, tag="vip")
    assert (batch.state, batch.total, batch.able) == ("ready", 6, 4)
    worked(batch, chunk=3)
    assert (batch.state, batch.done, batch.skipped, batch.failed) == ("done", 4, 0, 0)
    assert events(shop.orders, "tag.added") == Counter(dict.fromkeys(shop.orders, 1))
    [(cause, actor)] = set(
        owner_rows(
            "select biz ->> 'cause', (actor ->> 'id')::bigint from order_events where order_no = any(%s) and type = 'tag.added'",
            shop.orders[2:],
        )
    )
    assert (cause, actor) == (batch.cause, shop.staff["owner"].pk)
    undone(batch)
    assert (batch.state, batch.undone, batch.kept, batch.done) == ("undone", 4, 0, 0)
    assert tags_of(shop.orders) == before


def test_notes_are_added_and_taken_back_with_their_words_on_record(shop):
    before = owner_rows(
        "select order_no, seq, body from order_notes where order_no = any(%s) order by 1, 2", shop.orders
    )
    batch = worked(ready(shop, "note", numbers=shop.orders, note="核对过", role="finance"))
    assert batch.done == 6
    copies = owner_rows("select note from orders where order_no = any(%s)", shop.orders)
    assert all("核对过" in note for (note,) in copies)
    undone(batch, chunk=4)
    assert batch.undone == 6
    assert before == owner_rows(
        "select order_no, seq, body from order_notes where order_no = any(%s) order by 1, 2", shop.orders
    )
    assert all(
        per == "核对过"
        for (per,) in owner_rows(
            "select per ->> 'note' from order_events where type = 'note.removed' and order_no = any(%s)", shop.orders
        )
    )
    assert sum(events(shop.orders, "note.removed").values()) == 6
