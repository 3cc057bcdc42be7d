"""Gives events their place in the log: contiguous positions, and a contiguous sequence per merchant.

One sequencer works at a time; another one waits for its lock as a standby. Positions are given in the order of `id`, never
taken from it: transactions commit out of order, and a rolled-back one leaves a hole. Everything about a batch, the head
included, is one transaction, so a killed sequencer leaves no gap and no position twice.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from django.db import connections

from chadan.platform.scope import execute

log = logging.getLogger(__name__)
Connection = psycopg.Connection[Any]

CHANNEL = "chadan_events"
"""Told after every batch: `{"from": position, "head": position, "bulk": [merchant ids] or null}`."""
POLL = 0.1
"""Seconds between two looks for new events (docs/decisions/040-poll-for-new-events.md)."""
RESTING_POLL = 1.0
"""The same while no event has been written for LIVELY seconds: a look costs milliseconds, asking for the last id next to nothing."""
LIVELY = 10.0
STANDBY = 1.0
"""Seconds between a standby's two tries for the lock."""
LIVE_BATCH = 2_000
BACKLOG_BATCH = 5_000
"""Small enough that a live event never waits a second behind a batch of history."""
MOST_TOLD = 200
"""Merchants a notification names: its payload may have 8,000 bytes."""
_LOCK = 0x4556_454E  # "EVEN"

_HEAD = "select next_index from event_log_head for update"
_LIVE = """
with live as materialized (
    select order_no, home, order_seq from order_events
    where leaf_index is null and type <> 'imported' order by id limit %(limit)s
), upto as (
    select order_no, home, max(order_seq) as order_seq from live group by order_no, home
)
select e.order_no, e.home, e.order_seq, e.merchant_id
from upto u
cross join lateral (
    select * from order_events o
    where o.order_no = u.order_no and o.home = u.home and o.order_seq <= u.order_seq and o.leaf_index is null
    offset 0
) e
order by e.id
"""
_BACKLOG = """
select order_no, home, order_seq, merchant_id from order_events
where leaf_index is null and type = 'imported' order by id limit %(limit)s
"""
_TENANTS = """
insert into event_log_tenants as t (merchant_id, home, last_seq)
select * from unnest(%(merchants)s::bigint[], %(homes)s::smallint[], %(events)s::bigint[])
on conflict (merchant_id) do update set last_seq = t.last_seq + excluded.last_seq
returning merchant_id, last_seq
"""
_WRITE = """
update order_events e set leaf_index = p.leaf_index, tenant_seq = p.tenant_seq, sequenced_at = clock_timestamp()
from unnest(%(order_no)s::bigint[], %(home)s::smallint[], %(order_seq)s::integer[], %(leaf_index)s::bigint[],
            %(tenant_seq)s::bigint[]) as p (order_no, home, order_seq, leaf_index, tenant_seq)
where e.order_no = p.order_no and e.home = p.home and e.order_seq = p.order_seq and e.leaf_index is null
"""
_LAST_ID = "select last_value from order_events_id"
_ADVANCE = "update event_log_head set next_index = %(head)s"
_TELL = "select pg_notify(%(channel)s, %(payload)s)"
# One lookup by primary key an event, in its own month: any other join would read whole months.
_PLANS = """
set enable_hashjoin = off; set enable_mergejoin = off; set enable_seqscan = off; set plan_cache_mode = force_generic_plan;
set jit = off
"""


@dataclass(frozen=True, slots=True)
class Sequenced:
    """A batch: the positions `start` to `head` (the latter not included)."""

    start: int
    head: int

    @property
    def events(self) -> int:
        """How many events got their place."""
        return self.head - self.start


class Sequencer:
    """One process's sequencer. `connection` is the owner's: the application may not change events."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.execute(_PLANS)

    def acquire(self) -> bool:
        """Takes the lock unless another sequencer holds it; the server gives it back when this connection ends."""
        row = self.connection.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        return bool(row and row[0])

    def live(self) -> Sequenced:
        """Sequences what happens now: everything but imports, with what the same orders still have before it."""
        return self._batch(_LIVE, LIVE_BATCH, bulk=False)

    def backlog(self, limit: int = BACKLOG_BATCH) -> Sequenced:
        """Sequences history, oldest first; an `imported` event is its order's first one."""
        return self._batch(_BACKLOG, limit, bulk=True)

    def last_id(self) -> int:
        """The newest event's id, which its transaction may not have committed yet."""
        row = execute(self.connection, _LAST_ID).fetchone()
        return int(row[0]) if row else 0

    def _batch(self, select: str, limit: int, *, bulk: bool) -> Sequenced:
        with self.connection.transaction():
            row = execute(self.connection, _HEAD).fetchone()
            start = int(row[0]) if row else 0
            rows = self.connection.execute(select, {"limit": limit}, prepare=True).fetchall()
            if not rows:
                return Sequenced(start, start)
            head = start + len(rows)
            self._write(rows, start)
            execute(self.connection, _ADVANCE, {"head": head})
            told = sorted({row[3] for row in rows})[:MOST_TOLD] if bulk else None
            payload = json.dumps({"from": start, "head": head, "bulk": told}, separators=(",", ":"))
            execute(self.connection, _TELL, {"channel": CHANNEL, "payload": payload})
        return Sequenced(start, head)

    def _write(self, rows: list[tuple[int, int, int, int]], start: int) -> None:
        order_nos, homes, seqs, merchants = (list(column) for column in zip(*rows, strict=True))
        events = Counter(merchants)
        home_of = dict(zip(merchants, homes, strict=True))
        last = execute(
            self.connection,
            _TENANTS,
            {
                "merchants": list(events),
                "homes": [home_of[merchant] for merchant in events],
                "events": list(events.values()),
            },
        )
        following = {merchant: count(last_seq - events[merchant] + 1) for merchant, last_seq in last}
        done = self.connection.execute(
            _WRITE,
            {
                "order_no": order_nos,
                "home": homes,
                "order_seq": seqs,
                "leaf_index": list(range(start, start + len(rows))),
                "tenant_seq": [next(following[merchant]) for merchant in merchants],
            },
            prepare=True,
        )
        if done.rowcount != len(rows):  # somebody else wrote positions: nothing of this batch may stand
            raise RuntimeError(f"{done.rowcount} of {len(rows)} events took their position")


def owner_connection() -> Connection:
    """A connection as the database's owner, in autocommit mode, closed when the caller closes it."""
    wrapper = connections.create_connection("owner")
    wrapper.connect()
    raw: Connection = wrapper.connection
    return raw


def run(stop: threading.Event, leading: threading.Event) -> None:
    """Sequences until `stop`; sets `leading` while this process holds the lock.

    A lost connection is made again, and with it the process is a standby once more.
    """
    while not stop.is_set():
        try:
            with owner_connection() as connection:
                _lead(Sequencer(connection), stop, leading)
        except psycopg.OperationalError as error:
            log.warning("sequencer lost the database", extra={"reason": str(error).strip()})
            stop.wait(STANDBY)
        finally:
            leading.clear()


def _lead(sequencer: Sequencer, stop: threading.Event, leading: threading.Event) -> None:
    while not sequencer.acquire():
        if stop.wait(STANDBY):
            return
    log.info("sequencer leads")
    leading.set()
    seen, stirred, looked = 0, 0.0, 0.0
    while not stop.is_set():
        last, now = sequencer.last_id(), time.monotonic()
        if last != seen:
            seen, stirred = last, now
        if now - stirred > LIVELY and now - looked < RESTING_POLL:
            stop.wait(POLL)
            continue
        looked = now
        done = sequencer.live().events
        done += sequencer.backlog().events
        if not done:
            stop.wait(POLL)
