"""What a capacity may ask about: a filter must not answer what the rows do not show.

No order statement is written but for a `Permitted`, and none is made for a question that may not be asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from chadan.platform.errors import Forbidden
from chadan.platform.scope import Matter, Scope
from chadan.search.order_query import Exclude, OrderQuery
from chadan.search.wording import say

_SENTENCES = {
    Matter.COST: "You may not ask about profit here.",
    Matter.SUPPLIER: "You may not ask about suppliers here.",
    Matter.TAG: "You may not ask about tags here.",
}


class Hidden(NamedTuple):
    """A part of a query that must not be answered: its field, and the query without it."""

    matter: Matter
    field: str
    rest: OrderQuery

    @property
    def sentence(self) -> str:
        """What the asker is told."""
        return say(_SENTENCES[self.matter])


@dataclass(frozen=True, slots=True)
class Permitted:
    """A query that `scope` may ask in `view` (by default the query's own). Raises Forbidden when it may not."""

    scope: Scope
    query: OrderQuery
    view: str | None = None

    def __post_init__(self) -> None:
        refuse_hidden(self.scope, self.query, self.view)
        object.__setattr__(self, "view", self.view or self.query.role_view)


def refuse_hidden(scope: Scope, query: OrderQuery, view: str | None = None) -> None:
    """Raises Forbidden, naming the field, when the query asks about what `scope` may not see in `view`."""
    for hidden in _hidden(scope, query, view):
        raise Forbidden(hidden.sentence, field=hidden.field)


def without_hidden(scope: Scope, query: OrderQuery, view: str | None = None) -> tuple[OrderQuery, list[str]]:
    """The query without what may not be asked, and a sentence for each matter that was taken away."""
    sentences: dict[str, None] = {}
    while (hidden := next(_hidden(scope, query, view), None)) is not None:
        sentences[hidden.sentence] = None
        query = hidden.rest
    return query, list(sentences)


def _hidden(scope: Scope, query: OrderQuery, view: str | None) -> Iterator[Hidden]:
    for matter in Matter:
        if not scope.may_ask(matter, view or query.role_view):
            yield from _asked(matter, query)


def _asked(matter: Matter, query: OrderQuery) -> Iterator[Hidden]:
    """Where a query asks about the matter."""
    if matter is Matter.COST:
        if query.metric == "profit":
            yield Hidden(matter, "metric", query.replace(metric="amount"))
        return
    name = matter.value
    if getattr(query, name):
        yield Hidden(matter, name, query.replace(**{name: ()}))
    if query.exclude and getattr(query.exclude, name):
        rest = msgspec.structs.replace(query.exclude, **{name: ()})
        yield Hidden(matter, f"exclude.{name}", query.replace(exclude=None if rest == Exclude() else rest))
    if query.group_by == name:
        yield Hidden(matter, "group_by", query.replace(group_by=None))
