"""Works a batch off: from its first waiting order to its last, a chunk at a time, from wherever it was stopped.

Who does what once: an order's row leaves its state in the very transaction that changes the order, and only from that state. A
process killed between two orders has done the first and not touched the second.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import override
from psycopg import InterfaceError as RawInterfaceError
from psycopg import OperationalError as RawOperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled

from chadan.accounts.actors import Actor, actor_of
from chadan.batches import freezing, rows, steps
from chadan.batches.actions import Action, require
from chadan.batches.models import Batch, State
from chadan.batches.rows import Outcome, RowState, Waiting
from chadan.platform.errors import ChadanError, Forbidden
from chadan.platform.scope import scoped

log = logging.getLogger(__name__)
BUSY = (DeadlockDetected, LockNotAvailable, QueryCanceled)
"""Somebody else holds an order: that order's trouble, not the batch's."""
DATABASE_TROUBLE = (OperationalError, InterfaceError, RawOperationalError, RawInterfaceError)
Progress = Callable[[Batch], None]


@dataclass(slots=True)
class Pace:
    """How many orders are taken at once, and after how many seconds the worker turns to other jobs; tests go slower."""

    chunk: int = 500
    seconds: float = 20.0


class Stopped(Exception):
    """The batch is not in the state any more that this work belongs to."""


def run(batch_id: UUID, progress: Progress | None = None, pace: Pace | None = None) -> bool:
    """Does what is next for a batch until it is over, stopped or its time is up; True when there is more to do.

    Whatever keeps all of it from going on is said on the batch. Raises only what is the database's trouble: run it again.
    """
    pace = pace or Pace()
    ends = time.monotonic() + pace.seconds
    while True:
        batch = Batch.objects.select_related("hand").filter(pk=batch_id).first()
        if batch is None or not batch.working:
            return False
        with override(batch.language):
            try:
                more = _step(batch, pace)
            except Stopped:
                return False
            except ChadanError as error:
                fail(batch, str(error))
                return False
        if progress:
            batch.refresh_from_db()
            progress(batch)
        if not more:
            return False
        if time.monotonic() > ends:
            return True


def acting(batch: Batch) -> Actor:
    """Whoever confirmed or undoes the batch, as that capacity is today. Raises Forbidden when it may not do this any more."""
    actor = actor_of(batch.hand, batch.actor_key) if batch.hand and batch.hand.is_active else None
    if actor is None or actor.key != batch.actor_key:
        raise Forbidden(steps.gone())
    require(actor, Action(batch.action))
    return actor


def fail(batch: Batch, sentence: str) -> None:
    """Stops a batch with a sentence; it can be told to go on."""
    here = Batch.objects.filter(pk=batch.pk, state=batch.state)
    here.update(state=State.FAILED, error=sentence, finished_at=timezone.now())


def _step(batch: Batch, pace: Pace) -> bool:
    """One chunk; False when that was the end."""
    actor = acting(batch)
    if batch.state == State.PREPARING:
        return freezing.freeze_more(batch, actor)
    undoing = batch.state == State.UNDOING
    state = RowState.DONE if undoing else RowState.WAITING
    if not undoing:
        steps.ready(batch)
    with scoped(actor.scope) as session:
        waiting = rows.following(session, batch.pk, state, pace.chunk)
    if not waiting:
        _finish(batch)
        return False
    if undoing or batch.action in steps.TOGETHER:
        _together(batch, actor, waiting)
    else:
        for one in waiting:
            _alone(batch, actor, one)
    return True


def _together(batch: Batch, actor: Actor, waiting: Sequence[Waiting]) -> None:
    """A chunk in one transaction; when it fails, its orders one by one, so that a poisoned one keeps back no other."""
    try:
        _chunk(batch, actor, waiting)
    except Exception as error:
        if not _ones_own(error) or isinstance(error, ChadanError):
            raise
        if len(waiting) > 1:
            log.warning("chunk failed, its orders one by one", extra={"batch": str(batch.pk)}, exc_info=True)
            for one in waiting:
                _together(batch, actor, [one])
            return
        _failed(batch, actor, waiting[0], error)


def _ones_own(error: Exception) -> bool:
    """Whether an error is one order's: the others go on."""
    return isinstance(error, BUSY) or not isinstance(error, (Stopped, *DATABASE_TROUBLE))


def _failed(batch: Batch, actor: Actor, one: Waiting, error: Exception) -> None:
    log.error(
        "order of a batch failed", exc_info=error, extra={"batch": str(batch.pk), "order_no": f"{one.order_no:019d}"}
    )
    state = RowState.KEPT if batch.state == State.UNDOING else RowState.FAILED
    _record(batch, actor, one, state, "busy" if isinstance(error, BUSY) else "internal")


def _chunk(batch: Batch, actor: Actor, waiting: Sequence[Waiting]) -> None:
    undoing = batch.state == State.UNDOING
    with transaction.atomic(), scoped(actor.scope) as session:
        _hold(batch)
        work = steps.taken_back if undoing else steps.together
        outcomes = work(session, batch, actor, waiting)
        settled = rows.settle(session, batch.pk, RowState.DONE if undoing else RowState.WAITING, outcomes)
        if settled != len(waiting):
            raise Stopped  # another process was faster: what was done here is undone
        _count(batch, outcomes)


def _alone(batch: Batch, actor: Actor, one: Waiting) -> None:
    try:
        with transaction.atomic():
            _hold(batch)
            with scoped(actor.scope) as session:
                outcome = Outcome(one.order_no, RowState.DONE)
                if rows.settle(session, batch.pk, RowState.WAITING, [outcome]) != 1:
                    raise Stopped
            steps.alone(batch, actor, one)
            _count(batch, [outcome])
    except ChadanError as error:
        _record(batch, actor, one, RowState.SKIPPED, steps.words(error))
    except Exception as error:
        if not _ones_own(error):
            raise
        _failed(batch, actor, one, error)


def _record(batch: Batch, actor: Actor, one: Waiting, state: RowState, reason: str) -> None:
    """Says in a transaction of its own that an order was not done."""
    before = RowState.DONE if batch.state == State.UNDOING else RowState.WAITING
    with transaction.atomic(), scoped(actor.scope) as session:
        _hold(batch)
        outcome = Outcome(one.order_no, state, reason)
        if rows.settle(session, batch.pk, before, [outcome]) == 1:
            _count(batch, [outcome])


def _hold(batch: Batch) -> None:
    """Locks the batch for the transaction: two processes never work at the same one. Raises Stopped when it was cancelled."""
    if not list(Batch.objects.select_for_update().filter(pk=batch.pk, state=batch.state).values_list("pk")):
        raise Stopped


_COUNTERS = {
    RowState.DONE: "done",
    RowState.SKIPPED: "skipped",
    RowState.FAILED: "failed",
    RowState.UNDONE: "undone",
    RowState.KEPT: "kept",
}


def _count(batch: Batch, outcomes: Sequence[Outcome]) -> None:
    tally = Counter(_COUNTERS[one.state] for one in outcomes)
    changes = {name: F(name) + many for name, many in tally.items()}
    if batch.state == State.UNDOING:
        changes["done"] = F("done") - len(outcomes)
    Batch.objects.filter(pk=batch.pk).update(**changes)


def _finish(batch: Batch) -> None:
    to = State.UNDONE if batch.state == State.UNDOING else State.DONE
    Batch.objects.filter(pk=batch.pk, state=batch.state).update(state=to, finished_at=timezone.now())
