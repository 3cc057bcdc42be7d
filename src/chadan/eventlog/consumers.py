"""Consumers: functions that get every event, in the log's order, each with a cursor of its own.

    @consumer("rollups")
    def count(session: Session, events: Sequence[Event]) -> None: ...

A batch, what the function writes through `session` (or Django's default connection) and the cursor are one transaction:
an effect in the database happens exactly once, whatever is killed when. An effect outside happens at least once; the
event's position is its idempotency key, and it belongs into a job deferred in this transaction.

An event that fails is tried again, alone, after growing pauses; after TRIES it is parked in `event_consumer_failures` with
the reason, and the consumer goes on. A room keeps its consumers in `<room>/consumers.py`, which the process imports.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from django.db import InterfaceError, OperationalError, connection
from django.utils.module_loading import autodiscover_modules

from chadan.eventlog.reading import Event, positions, read
from chadan.platform.scope import OPERATOR, Session, scoped

log = logging.getLogger(__name__)

TRIES = 5
"""How often an event may fail before it is parked."""
IDLE = 0.2
"""Seconds between two looks when every consumer has read everything."""
_LONGEST_REASON = 500
_LOST = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""What a lost connection raises: not the event's failure, tried again for ever."""

_ADD = "insert into event_consumers (name) values (%s) on conflict do nothing"
_CURSOR = """
select position, attempts, coalesce(retry_at > now(), false) from event_consumers where name = %s for update skip locked
"""
_ADVANCE = """
update event_consumers set position = %s, attempts = 0, retry_at = null, error = '', updated_at = now() where name = %s
"""
_FAILED = """
update event_consumers set attempts = attempts + 1, error = %s, updated_at = now(),
                           retry_at = now() + least(power(2, attempts), 60) * interval '0.5 seconds'
where name = %s and position = %s
"""
_PARK = """
insert into event_consumer_failures (name, position, order_no, home, type, reason)
select name, %s, %s, %s, %s, error from event_consumers where name = %s on conflict do nothing
"""

Handle = Callable[[Session, Sequence[Event]], None]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A registered function: at most `batch` events a call, in the operator's scope."""

    name: str
    handle: Handle
    batch: int


REGISTRY: dict[str, Consumer] = {}


def consumer(name: str, batch: int = 500) -> Callable[[Handle], Handle]:
    """Registers a function as the consumer `name`; a new one begins with the first event there is."""

    def register(handle: Handle) -> Handle:
        if name in REGISTRY and REGISTRY[name].handle is not handle:
            raise ValueError(f"there are two consumers called {name}")
        REGISTRY[name] = Consumer(name, handle, batch)
        return handle

    return register


def step(one: Consumer) -> int:
    """Gives a consumer its next batch, in one transaction. Returns how many events it is done with.

    0: nothing to read, another process is at it, or it waits to try again. A failure of the consumer is noted, not raised.
    """
    position = 0
    try:
        with scoped(OPERATOR) as session:
            session.run(_ADD, (one.name,))
            found = session.rows(_CURSOR, (one.name,))
            if not found or found[0][2]:
                return 0
            position, attempts = int(found[0][0]), int(found[0][1])
            # What failed is tried again event by event, so that one bad event costs no other its effect.
            events = read(session, position, 1 if attempts else one.batch)
            if not events:
                return 0
            if attempts >= TRIES:
                _park(session, one, events[0])
            else:
                one.handle(session, events)
            session.run(_ADVANCE, (events[-1].position + 1, one.name))
            return len(events)
    except Exception as error:  # whatever a consumer raises is its event's failure, unless the database is gone
        if not connection.connection or not connection.is_usable():
            raise
        reason = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        log.warning("consumer failed", extra={"consumer": one.name, "position": position, "reason": reason})
        with scoped(OPERATOR) as session:
            session.run(_FAILED, (reason, one.name, position))
        return 0


def _park(session: Session, one: Consumer, event: Event) -> None:
    log.error("event parked", extra={"consumer": one.name, "position": positions([event])})
    session.run(_PARK, (event.position, event.order_no, event.home, event.type, one.name))


def run(stop: threading.Event, leading: threading.Event) -> None:
    """Feeds every consumer until `stop`, while this process is the one that sequences."""
    autodiscover_modules("consumers")
    while not stop.is_set():
        if not leading.wait(1):
            continue
        try:
            done = sum(step(one) for one in REGISTRY.values())
        except _LOST as error:
            log.warning("consumers lost the database", extra={"reason": str(error).strip()})
            connection.close()
            done = 0
        if not done:
            stop.wait(IDLE)
    connection.close()
