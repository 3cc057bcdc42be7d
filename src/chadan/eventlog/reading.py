"""Reading the log in its order: whole events for consumers, changed orders for open pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from chadan.platform.scope import Scope, Session, scoped

MOST_CHANGES = 1_000
"""Positions one question about changed orders reads; whoever is further behind looks at everything anew."""

_POSITION = "select next_index from event_log_head"
_EVENTS = """
select leaf_index, order_no, home, order_seq, merchant_id, tenant_seq, at, type, actor, biz, per from order_events
where leaf_index >= %s order by leaf_index limit %s
"""
# "offset 0" keeps it one lookup by primary key an event; a join would read whole months.
_CHANGES = """
select distinct o.order_no, o.merchant_id, o.agent_id, o.buyer_id
from order_events e
cross join lateral (
    select o.order_no, o.merchant_id, o.agent_id, o.buyer_id from orders o
    where o.order_no = e.order_no and o.home = e.home offset 0
) o
where e.leaf_index >= %(start)s and e.leaf_index < %(head)s
  and (%(operator)s or o.merchant_id = any(%(merchants)s::bigint[]) or o.agent_id = any(%(merchants)s::bigint[])
       or o.buyer_id = %(buyer)s)
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the log. `position` is its place in it, without gaps over all merchants; `tenant_seq` within its merchant."""

    position: int
    order_no: int
    home: int
    order_seq: int
    merchant_id: int
    tenant_seq: int
    at: datetime
    type: str
    actor: dict[str, Any]
    biz: dict[str, Any]
    per: dict[str, Any]


class Change(NamedTuple):
    """An order something happened to, and whose it is."""

    order_no: int
    merchant_id: int
    agent_id: int | None
    buyer_id: int


def position() -> int:
    """How far the log goes: the position the next event will get."""
    with connection.cursor() as cursor:
        cursor.execute(_POSITION)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def read(session: Session, start: int, limit: int) -> list[Event]:
    """Up to `limit` events of the session's scope from position `start` on."""
    return [Event(*row[:8], *(json.loads(value) for value in row[8:])) for row in session.rows(_EVENTS, (start, limit))]


def changes(scope: Scope, start: int, head: int) -> list[Change]:
    """The orders of `scope` with events at positions from `start` to `head` (not included), each once."""
    with scoped(scope, keyed=True) as session:
        rows = session.rows(
            _CHANGES,
            {
                "start": start,
                "head": head,
                "operator": scope.operator,
                "merchants": list(scope.merchants),
                "buyer": scope.buyer,
            },
        )
    return [Change._make(row) for row in rows]


def positions(events: Sequence[Event]) -> str:
    """The events' positions for people, such as `17` or `17 to 20`."""
    first, last = events[0].position, events[-1].position
    return str(first) if first == last else f"{first} to {last}"
