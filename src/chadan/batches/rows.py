"""The frozen orders of a batch: `batch_orders`, written and read here alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple
from uuid import UUID

from chadan.orders import number
from chadan.orders.many import Done
from chadan.platform.scope import Session

_INSERT = """
insert into batch_orders (batch_id, order_no, home, merchant_id, state, reason, amount)
select %(batch)s, g.order_no, g.order_no / 100000 %% 1000, %(merchant_id)s, case when g.reason = '' then 0 else 2 end, g.reason,
       g.amount
from unnest(%(numbers)s::bigint[], %(reasons)s::text[], %(amounts)s::bigint[]) g (order_no, reason, amount)
on conflict do nothing
returning state, amount
"""
_NEXT = """
select order_no, amount, at, seq, before::text from batch_orders
where batch_id = %s and state = %s order by order_no limit %s
"""
_SETTLE = """
update batch_orders b set state = g.state, reason = g.reason, at = case when g.state = 1 then now() else b.at end,
       seq = coalesce(g.seq, b.seq), before = coalesce(g.before::jsonb, b.before)
from unnest(%(numbers)s::bigint[], %(states)s::smallint[], %(reasons)s::text[], %(seqs)s::integer[], %(befores)s::text[])
     g (order_no, state, reason, seq, before)
where b.batch_id = %(batch)s and b.order_no = g.order_no and b.order_no = any(%(numbers)s::bigint[]) and b.state = %(before)s
"""
_GROUPS = """
select state, reason, count(*), sum(amount)::bigint from batch_orders where batch_id = %s and state = any(%s::smallint[])
group by state, reason order by count(*) desc, reason
"""
_PAGE = """
select order_no, state, reason, amount, at from batch_orders where batch_id = %(batch)s{} and order_no > %(after)s
order by order_no limit %(limit)s
"""
_IN_STATE, _FOR_REASON = " and state = %(state)s", " and reason = %(reason)s"
_FROZEN = """
select order_no from batch_orders where batch_id = %s and state in (0, 1) and order_no >= %s and order_no < %s
order by order_no {} limit %s
"""
_FROZEN_COUNT = "select count(*) from batch_orders where batch_id = %s and state in (0, 1)"
_DROP = "delete from batch_orders where batch_id = any(%s::uuid[])"


class RowState(IntEnum):
    """Where one order of a batch stands. Append only."""

    WAITING = 0
    DONE = 1
    SKIPPED = 2
    FAILED = 3
    UNDONE = 4
    KEPT = 5


ALL = tuple(RowState)


class Waiting(NamedTuple):
    """An order whose turn it is. `amount` is fen; the rest is what doing it left for undoing it."""

    order_no: int
    amount: int
    at: datetime | None
    seq: int | None
    before: dict[str, Any]

    @property
    def done(self) -> Done:
        """As `orders.many` takes it back: the note's or event's place, the tag's author and time."""
        at = datetime.fromisoformat(self.before["at"]) if self.before else self.at
        return Done(self.order_no, self.seq, self.before.get("author_id"), at)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order."""

    order_no: int
    state: RowState
    reason: str = ""
    done: Done | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Orders of a batch that share state and reason; `amount` is fen."""

    state: RowState
    reason: str
    count: int
    amount: int


class Result(NamedTuple):
    """One order in the report. `amount` is fen."""

    order_no: int
    state: RowState
    reason: str
    amount: int
    at: datetime | None

    @property
    def number(self) -> str:
        """The order's number, 19 digits."""
        return number.text(self.order_no)


def freeze(
    session: Session, batch: UUID, merchant_id: int, standing: Sequence[tuple[int, str, int]]
) -> tuple[int, int, int, int]:
    """Adds (order, reason why not or "", fen) to the frozen set; returns orders, fen, able orders and their fen that are new."""
    values = {
        "batch": batch,
        "merchant_id": merchant_id,
        "numbers": [row[0] for row in standing],
        "reasons": [row[1] for row in standing],
        "amounts": [row[2] for row in standing],
    }
    rows = session.rows(_INSERT, values)
    able = [amount for state, amount in rows if state == RowState.WAITING]
    return len(rows), sum(row[1] for row in rows), len(able), sum(able)


def following(session: Session, batch: UUID, state: RowState, limit: int) -> list[Waiting]:
    """The next orders in a state, lowest number first."""
    rows = session.rows(_NEXT, (batch, state, limit))
    return [Waiting(order_no, amount, at, seq, json.loads(was or "{}")) for order_no, amount, at, seq, was in rows]


def settle(session: Session, batch: UUID, before: RowState, outcomes: Sequence[Outcome]) -> int:
    """Writes what became of orders that are still in state `before`; returns how many were: the guard against doing one twice."""
    values = {
        "batch": batch,
        "before": before,
        "numbers": [one.order_no for one in outcomes],
        "states": [one.state for one in outcomes],
        "reasons": [one.reason[:300] for one in outcomes],
        "seqs": [one.done.seq if one.done else None for one in outcomes],
        "befores": [_before(one.done) for one in outcomes],
    }
    return session.run(_SETTLE, values)


def _before(done: Done | None) -> str | None:
    if done is None or done.at is None:
        return None
    return json.dumps({"author_id": done.author_id, "at": done.at.isoformat()})


def groups(session: Session, batch: UUID, states: Sequence[RowState]) -> list[Group]:
    """The orders in these states, counted by reason, most first."""
    rows = session.rows(_GROUPS, (batch, list(states)))
    return [Group(RowState(state), reason, count, amount) for state, reason, count, amount in rows]


def results(  # noqa: PLR0917 - a filter and a place
    session: Session, batch: UUID, after: int, limit: int, state: RowState | None = None, reason: str | None = None
) -> list[Result]:
    """Orders of the report behind number `after`, in number order: all, those in a state, those for a reason."""
    narrowed = ("" if state is None else _IN_STATE) + ("" if reason is None else _FOR_REASON)
    values = {"batch": batch, "after": after, "limit": limit}
    values |= {} if state is None else {"state": state}
    values |= {} if reason is None else {"reason": reason}
    rows = session.rows(_PAGE.format(narrowed), values)
    return [Result(order_no, RowState(found), *rest) for order_no, found, *rest in rows]


def frozen_page(
    session: Session, batch: UUID, bounds: tuple[int | None, int], limit: int, *, descending: bool
) -> list[int]:
    """The next numbers of the orders a batch is to act on, from the lower bound (included) to the upper (not included)."""
    low, high = bounds
    direction = "desc" if descending else "asc"
    return [row[0] for row in session.rows(_FROZEN.format(direction), (batch, low or 0, high, limit))]


def frozen_count(session: Session, batch: UUID) -> int:
    """How many orders a batch is to act on."""
    return int(session.rows(_FROZEN_COUNT, (batch,))[0][0])


def drop(session: Session, batches: Sequence[UUID]) -> None:
    """Removes the frozen orders of batches that go."""
    session.run(_DROP, (list(batches),))
