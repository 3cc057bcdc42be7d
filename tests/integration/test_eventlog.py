"""The sequencer's positions, and consumers that read them."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support import event_log
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def owner(database: Any) -> Iterator[Any]:
    with event_log.connect(database) as connection:
        yield connection


@pytest.fixture
def sequencer(database: Any) -> Iterator[Any]:
    from chadan.eventlog.sequencer import Sequencer, owner_connection

    with owner_connection() as connection:
        made = Sequencer(connection)
        eventually(made.acquire, "the lock")  # a server ends a closed connection in its own time
        drain(made)
        yield made


def drain(sequencer: Any) -> None:
    while sequencer.live().events + sequencer.backlog().events:
        pass


def test_positions_are_contiguous_whatever_commits_when_or_not_at_all(database, owner, sequencer):
    start = event_log.head(owner)
    merchants = [event_log.merchant() for _ in range(3)]
    kept: list[int] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        with event_log.connect(database) as connection:
            for _ in range(25):
                rolled_back = chance.random() < 0.3
                merchant_id = chance.choice(merchants)
                with connection.transaction(force_rollback=rolled_back):
                    order_no = event_log.write(connection, merchant_id)
                    connection.execute("select pg_sleep(%s)", (chance.random() * 0.01,))  # ids commit out of order
                    event_log.write(connection, merchant_id, order_no, 2)
                if not rolled_back:
                    kept.append(2)

    writers = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        sequencer.live()
    drain(sequencer)
    assert event_log.head(owner) - start == sum(kept) > 0
    assert event_log.broken(owner, start) == []


def test_what_happens_now_goes_before_history_but_never_before_its_own_order(owner, sequencer):
    start = event_log.head(owner)
    merchant_id = event_log.merchant()
    old = [event_log.write(owner, merchant_id, kind="imported") for _ in range(20)]
    event_log.write(owner, merchant_id, old[7], 2)
    assert sequencer.live().events == 2
    rows = owner.execute(
        "select order_no, order_seq, tenant_seq from order_events where leaf_index >= %s order by leaf_index", (start,)
    ).fetchall()
    assert rows == [(old[7], 1, 1), (old[7], 2, 2)]
    assert sequencer.backlog(limit=10).events == 10
    drain(sequencer)
    assert event_log.broken(owner, start) == []


def test_a_second_sequencer_waits_until_the_first_ones_connection_ends(database, sequencer):
    from chadan.eventlog.sequencer import Sequencer, owner_connection

    with owner_connection() as connection:
        standby = Sequencer(connection)
        assert not standby.acquire()
        sequencer.connection.close()
        assert eventually(standby.acquire, "the takeover")


def test_a_batch_that_cannot_be_written_whole_is_not_written_at_all(owner, sequencer):
    start = event_log.head(owner)
    order_no = event_log.write(owner, event_log.merchant())
    execute = sequencer.connection.execute

    def meddle(sql: str, *args: Any, **kwargs: Any) -> Any:
        if "update order_events" in sql:  # somebody writes a position between reading and writing
            owner.execute("update order_events set leaf_index = -1 where order_no = %s", (order_no,))
        return execute(sql, *args, **kwargs)

    sequencer.connection.execute = meddle
    with pytest.raises(RuntimeError, match="0 of 1"):
        sequencer.live()
    del sequencer.connection.execute
    owner.execute("update order_events set leaf_index = null where order_no = %s", (order_no,))
    assert event_log.head(owner) == start
    drain(sequencer)
    assert event_log.broken(owner, start) == []


def test_a_batch_is_told_after_its_commit(database, owner, sequencer):
    with event_log.connect(database) as listening:
        listening.execute("listen chadan_events")
        start = event_log.head(owner)
        event_log.write(owner, event_log.merchant())
        sequencer.live()
        note = next(listening.notifies(timeout=5))
    assert note.payload == f'{{"from":{start},"head":{start + 1},"bulk":null}}'


def test_the_application_may_neither_move_the_head_nor_change_an_event(database):
    from django.db import ProgrammingError, connection, transaction

    for statement in (
        "update event_log_head set next_index = 0",
        "insert into event_log_tenants values (1, 1, 1)",
        "update order_events set leaf_index = 1",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(), connection.cursor() as c:
            c.execute(statement)


def test_reading_by_position_uses_the_index_in_every_month(database):
    from chadan.eventlog import reading
    from chadan.platform.scope import OPERATOR, scoped

    with scoped(OPERATOR) as session:
        plan = "\n".join(row[0] for row in session.rows("explain " + reading._EVENTS, (5, 100)))
    assert "Seq Scan" not in plan
    assert "leaf_index_idx" in plan
    assert "->  Sort" not in plan, "months are merged in order, not sorted"


def test_reading_what_changed_reads_no_month_whole(database):
    from chadan.eventlog import reading
    from chadan.platform.scope import OPERATOR, scoped

    values = {"start": 5, "head": 7, "operator": True, "merchants": [], "buyer": None}
    with scoped(OPERATOR, keyed=True) as session:
        plan = "\n".join(row[0] for row in session.rows("explain " + reading._CHANGES, values))
    assert "Seq Scan" not in plan
    assert "Hash Join" not in plan and "Merge Join" not in plan


@pytest.fixture
def consumer(database: Any, owner: Any, sequencer: Any) -> Iterator[Any]:
    """A consumer with a cursor at the head that notes positions in a table, and fails where told to."""
    from chadan.eventlog.consumers import Consumer

    owner.execute("create table noted (position bigint not null)")
    owner.execute(f"grant select, insert on noted to {database.name}_app")
    bad: set[int] = set()

    def note(session: Any, events: Any) -> None:
        for event in events:
            session.run("insert into noted values (%s)", (event.position,))
            if event.position in bad:
                raise ValueError(f"event {event.position} is bad")

    made = Consumer("test.notes", note, batch=4)
    owner.execute("insert into event_consumers (name, position) values (%s, %s)", (made.name, event_log.head(owner)))
    yield made, bad
    owner.execute("drop table noted")
    owner.execute("delete from event_consumers where name = %s", (made.name,))
    owner.execute("delete from event_consumer_failures where name = %s", (made.name,))


def noted(owner: Any) -> list[int]:
    return [row[0] for row in owner.execute("select position from noted order by position")]


def test_a_consumer_reads_everything_once_in_batches(owner, sequencer, consumer):
    from chadan.eventlog.consumers import step

    one, _bad = consumer
    start = event_log.head(owner)
    for _ in range(10):
        event_log.write(owner, event_log.merchant())
    assert step(one) == 0, "what has no position yet is not read"
    drain(sequencer)
    assert [step(one) for _ in range(4)] == [4, 4, 2, 0]
    assert noted(owner) == list(range(start, start + 10))


def test_a_bad_event_is_tried_alone_then_parked_and_costs_no_other_its_effect(owner, sequencer, consumer, monkeypatch):
    from chadan.eventlog import consumers, failures, lag

    one, bad = consumer
    start = event_log.head(owner)
    for _ in range(6):
        event_log.write(owner, event_log.merchant())
    drain(sequencer)
    bad.add(start + 2)
    assert consumers.step(one) == 0
    assert noted(owner) == [], "a failed batch leaves nothing"
    assert consumers.step(one) == 0, "it waits before the next try"
    for _ in range(consumers.TRIES + 8):
        owner.execute("update event_consumers set retry_at = null where name = %s", (one.name,))
        consumers.step(one)
    assert noted(owner) == [start, start + 1, start + 3, start + 4, start + 5]
    [state] = [state for state in lag().consumers if state.name == one.name]
    assert (state.parked, state.behind, state.attempts) == (1, 0, 0)
    [parked] = [failure for failure in failures() if failure.name == one.name]
    assert (parked.position, parked.reason) == (start + 2, f"ValueError: event {start + 2} is bad")


def test_two_processes_never_feed_one_consumer_at_once(owner, sequencer, consumer, database):
    from chadan.eventlog.consumers import step

    one, _bad = consumer
    event_log.write(owner, event_log.merchant())
    drain(sequencer)
    with event_log.connect(database) as other, other.transaction():
        other.execute("select 1 from event_consumers where name = %s for update", (one.name,))
        assert step(one) == 0
    assert step(one) == 1


def test_the_lag_counts_what_waits(owner, sequencer):
    from chadan.eventlog import lag

    before = lag()
    assert before.waiting == 0
    event_log.write(owner, event_log.merchant())
    assert lag().waiting == 1
    drain(sequencer)
    assert (lag().waiting, lag().head) == (0, before.head + 1)
