"""How far sequencer and consumers are behind: for the operator's page, doctor and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chadan.platform.scope import OPERATOR, scoped

MOST_COUNTED = 10_000
LATE = 5.0
"""Seconds an event may wait for its position before somebody should look: the sequencer takes it within one."""
_HEAD = "select next_index from event_log_head"
_WAITING = f"""
select least({MOST_COUNTED}, (select count(*) from (select from order_events where leaf_index is null and type <> 'imported'
                              limit {MOST_COUNTED}) as live)
     + (select count(*) from (select from order_events where leaf_index is null and type = 'imported'
                              limit {MOST_COUNTED}) as backlog))
"""
SECONDS_BEHIND = """
select extract(epoch from now() - at)::float8 from order_events
where leaf_index is null and type <> 'imported' order by id limit 1
"""
"""The age of the oldest event without a position that is no import; no row when there is none."""
_CONSUMERS = """
select c.name, c.position, c.attempts, c.error, count(f.position), max(f.failed_at)
from event_consumers c left join event_consumer_failures f on f.name = c.name group by c.name order by c.name
"""
_FAILURES = """
select name, position, order_no, type, reason, failed_at from event_consumer_failures
order by failed_at desc limit 50
"""


@dataclass(frozen=True, slots=True)
class ConsumerState:
    """A consumer: `behind` events to read; `attempts` failed tries at the present one, why; events `parked` so far."""

    name: str
    position: int
    behind: int
    attempts: int
    error: str
    parked: int
    last_parked: datetime | None


@dataclass(frozen=True, slots=True)
class Failure:
    """An event a consumer could not take."""

    name: str
    position: int
    order_no: int
    type: str
    reason: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class Lag:
    """`waiting`: events without a position (counted up to MOST_COUNTED); `seconds`: age of the oldest that is no import."""

    head: int
    waiting: int
    seconds: float
    consumers: tuple[ConsumerState, ...]


def lag() -> Lag:
    """The log's state now; a few index reads."""
    with scoped(OPERATOR) as session:
        head, waiting, oldest, consumers = session.many(
            [(_HEAD, ()), (_WAITING, ()), (SECONDS_BEHIND, ()), (_CONSUMERS, ())]
        )
    position = int(head[0][0]) if head else 0
    return Lag(
        head=position,
        waiting=int(waiting[0][0]),
        seconds=max(float(oldest[0][0]), 0.0) if oldest else 0.0,
        consumers=tuple(
            ConsumerState(name, at, max(position - at, 0), attempts, error, parked, last)
            for name, at, attempts, error, parked, last in consumers
        ),
    )


def failures() -> list[Failure]:
    """The newest parked events."""
    with scoped(OPERATOR) as session:
        return [Failure(*row) for row in session.rows(_FAILURES)]
