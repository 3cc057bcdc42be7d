"""What can be listened to, and whom a change concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chadan.eventlog.reading import Change
from chadan.platform.scope import Scope


class Topic(NamedTuple):
    """What can be listened to: everything, or what belongs to one merchant, buyer, or is one order."""

    kind: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a visitor may be told about. `session` counts streams; `scope` reads what was missed."""

    session: str
    topics: frozenset[Topic]
    scope: Scope


def topics_of(change: Change) -> list[Topic]:
    """Whom a change concerns."""
    topics = [
        Topic("operator"),
        Topic("merchant", change.merchant_id),
        Topic("buyer", change.buyer_id),
        Topic("order", change.order_no),
    ]
    return topics if change.agent_id is None else [*topics, Topic("merchant", change.agent_id)]
