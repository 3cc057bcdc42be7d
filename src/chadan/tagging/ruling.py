"""A rule as it is evaluated, and the order in which a shop's rules are.

A rule may ask about the tags of other rules, never about its own, directly or through others: so each rule has its place
after those it asks about, one pass settles every order, and no rule can set another off for ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from chadan.orders.tags import TagRef
from chadan.search.beside import Beside
from chadan.search.order_query import OrderQuery
from chadan.tagging.models import TagRule


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule, read: what it asks, what it puts on."""

    id: int
    tag: TagRef
    query: OrderQuery
    beside: Beside
    removes: bool
    since: datetime | None = None
    """Switched on then; None: not yet."""

    @classmethod
    def of(cls, rule: TagRule) -> Ruling:
        """The rule as stored. Raises InvalidQuery when its query is none any more."""
        beside = Beside(rule.buyer_orders, rule.buyer_days, rule.overdue)
        tag = TagRef(rule.tag_id, rule.tag.name)
        return cls(rule.pk, tag, OrderQuery.from_dict(rule.query), beside, rule.removes, rule.since)

    def asked_tags(self) -> set[str]:
        """The names, casefolded, of the tags its query asks about."""
        return tags_in(self.query)


def tags_in(query: OrderQuery) -> set[str]:
    """The names, casefolded, of the tags a query asks for or excludes."""
    excluded = query.exclude.tag if query.exclude else ()
    return {name.casefold() for name in (*query.tag, *excluded)}


def strata(rulings: Iterable[Ruling]) -> list[list[Ruling]]:
    """The rules in groups: each asks about tags of earlier groups alone. Rules in a ring (none can be saved) come last."""
    by_tag: dict[str, list[Ruling]] = defaultdict(list)
    for ruling in rulings:
        by_tag[ruling.tag.name.casefold()].append(ruling)
    sorter = TopologicalSorter(_graph(by_tag))
    groups: list[list[Ruling]] = []
    with suppress(CycleError):  # it still gives out whatever is not behind the ring
        sorter.prepare()
    placed: set[str] = set()
    while sorter.is_active():
        ready = sorter.get_ready()
        if not ready:
            break
        groups.append([ruling for name in sorted(ready) for ruling in by_tag[name]])
        placed.update(ready)
        sorter.done(*ready)
    ringed = [ruling for name in sorted(by_tag.keys() - placed) for ruling in by_tag[name]]
    return [*groups, ringed] if ringed else groups


def ring(rulings: Sequence[Ruling]) -> list[str]:
    """The tags of rules that ask about one another in a ring, in their order; empty when there is none."""
    by_tag: dict[str, list[Ruling]] = defaultdict(list)
    for ruling in rulings:
        by_tag[ruling.tag.name.casefold()].append(ruling)
    try:
        TopologicalSorter(_graph(by_tag)).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return [by_tag[name][0].tag.name for name in found]
    return []


def _graph(by_tag: dict[str, list[Ruling]]) -> dict[str, set[str]]:
    return {
        name: {asked for one in rules for asked in one.asked_tags()} & by_tag.keys() for name, rules in by_tag.items()
    }
