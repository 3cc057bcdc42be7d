"""Batches that are interrupted: killed, cancelled, poisoned, run by two at once. No order is done twice, none is held back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from chadan.platform.errors import Conflict

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(40)


KILLED = """
import os, signal, sys
import django
django.setup()
from uuid import UUID
from chadan.batches import rows, runner, steps
at = int(sys.argv[2])
seen = 0
name = sys.argv[3]
module = {"alone": steps, "settle": rows}[name]
real = getattr(module, name)
def dying(*given, **named):
    global seen
    answer = real(*given, **named)
    seen += 1
    if seen == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
setattr(module, name, dying)
runner.run(UUID(sys.argv[1]), None, runner.Pace(chunk=7))
"""


def killed(batch, *, at, within):
    """Runs the batch in a process that is killed inside a transaction, after its `at`th call of `within`."""
    env = {**os.environ, "PYTHONPATH": "src", "DJANGO_SETTINGS_MODULE": "chadan.platform.settings"}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(batch.pk), str(at), within],
        check=False,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    batch.refresh_from_db()
    return batch


def test_tagging_killed_within_a_chunk_goes_on_and_tags_each_order_once(shop):
    from tests.support.batched import confirmed, events, go, ready, tags_of, undone

    before = tags_of(shop.orders)
    batch = confirmed(ready(shop, "tag", numbers=shop.orders, tag="killed"))
    killed(batch, at=4, within="settle")
    assert (batch.state, batch.done) == ("running", 21), "three chunks of seven stand, the fourth is undone"
    assert sum(events(shop.orders, "tag.added").values()) == 21
    go(batch, chunk=7)
    assert (batch.state, batch.done, batch.skipped) == ("done", 40, 0)
    assert events(shop.orders, "tag.added") == Counter(dict.fromkeys(shop.orders, 1))
    undone(batch)
    assert tags_of(shop.orders) == before


def test_undoing_killed_within_a_chunk_goes_on(shop):
    from tests.support.batched import events, go, ready, worked
    from tests.support.people import acting

    from chadan.batches import services

    batch = worked(ready(shop, "note", numbers=shop.orders, note="killed"))
    services.undo(acting(batch.user), batch.pk)
    killed(batch, at=3, within="settle")
    assert (batch.state, batch.undone, batch.done) == ("undoing", 14, 26)
    go(batch)
    assert (batch.state, batch.undone, batch.kept) == ("undone", 40, 0)
    assert events(shop.orders, "note.removed") == Counter(dict.fromkeys(shop.orders, 1))


def test_retries_killed_between_two_orders_are_each_deferred_once(shop):
    from tests.support.batched import confirmed, go, owner_rows, ready

    owner_rows("update orders set status = 2 where order_no = any(%s)", shop.orders)
    batch = confirmed(ready(shop, "retry", numbers=shop.orders))
    killed(batch, at=12, within="alone")
    assert batch.done == 11, "the twelfth was not committed"
    go(batch, chunk=7)
    assert (batch.done, batch.failed) == (40, 0)
    deferred = owner_rows(
        "select (args ->> 'order_no')::bigint from procrastinate_jobs where task_name = 'delivery.deliver'"
        " and (args ->> 'order_no')::bigint = any(%s)",
        shop.orders,
    )
    assert Counter(row[0] for row in deferred) == Counter(dict.fromkeys(shop.orders, 1))


@pytest.fixture
def poisoned(shop):
    """One order nobody can write to."""
    from tests.support.batched import owner_rows

    bad = shop.orders[17]
    owner_rows(
        "create function poison() returns trigger language plpgsql as $$ begin"
        f" if new.order_no = {bad} then raise exception 'poison'; end if; return new; end $$"
    )
    owner_rows("create trigger poison before insert or update on order_events for each row execute function poison()")
    yield bad
    owner_rows("drop trigger poison on order_events")
    owner_rows("drop function poison()")


@pytest.mark.parametrize("action", ["tag", "note", "retry"])
def test_a_poisoned_order_holds_back_no_other(shop, poisoned, action):
    from tests.support.batched import outcome, owner_rows, ready, worked

    owner_rows("update orders set status = 2 where order_no = any(%s)", shop.orders)
    batch = worked(ready(shop, action, numbers=shop.orders, tag=f"poison {action}", note="n"), chunk=15)
    assert (batch.state, batch.done, batch.failed) == ("done", 39, 1)
    found = outcome(batch)
    assert found.pop(poisoned) == ("failed", "internal")
    assert set(found.values()) == {("done", "")}


def test_cancelling_stops_it_and_what_was_done_can_be_undone(shop):
    from tests.support.batched import confirmed, go, ready, tags_of, undone
    from tests.support.people import acting

    from chadan.batches import services

    before = tags_of(shop.orders)
    batch = confirmed(ready(shop, "tag", numbers=shop.orders, tag="cancelled"))

    def cancel(now):
        if now.done >= 10:
            services.cancel(acting(batch.user), batch.pk)

    go(batch, chunk=5, progress=cancel)
    assert (batch.state, batch.done) == ("cancelled", 10)
    go(batch)
    assert batch.done == 10, "a cancelled batch stays where it is"
    with pytest.raises(Conflict):
        services.cancel(acting(batch.user), batch.pk)
    undone(batch)
    assert (batch.state, batch.undone) == ("undone", 10)
    assert tags_of(shop.orders) == before


def test_two_processes_at_the_same_batch_do_each_order_once(shop):
    from django.db import connections
    from tests.support.batched import confirmed, events, ready

    from chadan.batches import runner

    batch = confirmed(ready(shop, "tag", numbers=shop.orders, tag="two"))
    before = events(shop.orders, "tag.added")

    def run(_which):
        try:
            while runner.run(batch.pk, None, runner.Pace(chunk=3)):
                pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))
    runner.run(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.skipped) == ("done", 40, 0)
    assert events(shop.orders, "tag.added") - before == Counter(dict.fromkeys(shop.orders, 1))


def test_one_job_a_confirmation_and_it_carries_the_id_alone(shop):
    from tests.support.batched import confirmed, owner_rows, ready
    from tests.support.people import acting

    from chadan.batches import services

    batch = confirmed(ready(shop, "note", numbers=shop.orders, note="n"))
    services.confirm(acting(batch.user), batch.pk)
    found = owner_rows(
        "select args, lock from procrastinate_jobs where task_name = 'batches.work' and args ->> 'batch_id' = %s",
        str(batch.pk),
    )
    assert [(args if isinstance(args, str) else dict(args), lock) for args, lock in found] == [
        (
            '{"batch_id": "' + str(batch.pk) + '"}' if isinstance(found[0][0], str) else {"batch_id": str(batch.pk)},
            f"batch:{batch.pk}",
        )
    ]
    services.cancel(acting(batch.user), batch.pk)


def test_a_killed_worker_is_followed_by_the_next_and_no_order_is_done_twice(shop):
    """The job itself: its worker dies by SIGKILL within a chunk, the next one takes it up."""
    from django.db import connections, transaction
    from tests.support.batched import confirmed, events, owner_rows, ready
    from tests.support.waiting import eventually

    before = events(shop.orders, "tag.added")
    owner_rows("update procrastinate_jobs set status = 'cancelled' where status = 'todo'")
    batch = confirmed(ready(shop, "tag", numbers=shop.orders, tag="worker"))
    waits = "select count(*) from pg_locks where not granted and relation = 'order_events'::regclass"
    with transaction.atomic(using="owner"):
        with connections["owner"].cursor() as cursor:  # the worker has tagged its chunk when it meets this lock
            cursor.execute("lock table order_events in exclusive mode")
        worker = start_worker()
        try:
            eventually(lambda: owner_rows(waits)[0][0], "the chunk")
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait(10)
    eventually(lambda: not owner_rows(waits)[0][0], "the rollback")
    owner_rows("update procrastinate_workers set last_heartbeat = now() - interval '5 minutes'")
    worker = start_worker()
    try:
        eventually(lambda: batch.refresh_from_db() or batch.state == "done", "the batch")
    finally:
        worker.terminate()
        worker.wait(20)
    assert (batch.done, batch.skipped, batch.failed) == (40, 0, 0)
    assert events(shop.orders, "tag.added") - before == Counter(dict.fromkeys(shop.orders, 1))


def start_worker():
    env = {**os.environ, "PYTHONPATH": "src"}
    command = [sys.executable, "-m", "chadan.platform.worker"]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
