"""Evaluates rules for orders: the one place that decides which tags rules put on and take off.

Everybody hands orders in here: the consumer of the event log, the job that applies a rule to the past, and the one that
looks at the clock. What an order should bear depends on the order as it is now, not on who asks or how often.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chadan.orders import events
from chadan.orders.tags import Change, Shop, claim, put, tags_on, take
from chadan.platform.scope import INNER, Scope, Session
from chadan.search.matching import among_numbers
from chadan.tagging.ruling import Ruling, strata

ACTOR = "tagging"
"""The system's part that acts: events by it are not evaluated again (consumers)."""


class Outcome(NamedTuple):
    """What an evaluation changed."""

    added: list[Change]
    removed: list[Change]


def shop_scope(shop: Shop) -> Scope:
    """Rules are the shop's own: they may ask about everything the shop knows."""
    return Scope(merchants=(shop.merchant_id,), homes=(shop.home,), asks=INNER)


def evaluate(session: Session, shop: Shop, rulings: Iterable[Ruling], numbers: Sequence[int]) -> Outcome:
    """Brings the tags of these orders of the shop in step with the rules, in the session's transaction (the shop's scope).

    For each tag: an order that any rule for it matches gets it; one that none matches loses it if a rule put it there that
    removes. What a person put on stays. Orders of other shops are left alone. One statement a rule, whatever the batch.
    """
    outcome = Outcome([], [])
    listed = sorted(set(numbers))
    rulings = list(rulings)
    usable = claim(session, shop, {ruling.tag.id for ruling in rulings}) if listed and rulings else set()
    rulings = [ruling for ruling in rulings if ruling.tag.id in usable]
    if not rulings:
        return outcome
    actor = events.system(ACTOR)
    before = tags_on(session, shop, listed, usable)
    for group in strata(rulings):
        puts, takes = _decided(session, shop, group, listed, before)
        outcome.added.extend(put(session, shop, puts, actor))
        outcome.removed.extend(take(session, shop, takes, actor))
    return outcome


def _decided(
    session: Session, shop: Shop, group: list[Ruling], numbers: Sequence[int], before: dict[tuple[int, int], int | None]
) -> tuple[list[Change], list[Change]]:
    """What to put on and what to take off, for rules that do not ask about one another."""
    scope = shop_scope(shop)
    by_tag: dict[int, list[Ruling]] = defaultdict(list)
    for ruling in group:
        by_tag[ruling.tag.id].append(ruling)
    puts: list[Change] = []
    takes: list[Change] = []
    for tag_id, rules in by_tag.items():
        setter: dict[int, int] = {}
        for ruling in rules:
            for order_no in among_numbers(session, scope, ruling.query, numbers, ruling.beside):
                setter.setdefault(order_no, ruling.id)
        removing = {ruling.id for ruling in rules if ruling.removes}
        for order_no in numbers:
            bears = (order_no, tag_id) in before
            if order_no in setter and not bears:
                puts.append(Change(order_no, rules[0].tag, setter[order_no]))
            elif bears and order_no not in setter and (rule_id := before[order_no, tag_id]) in removing:
                takes.append(Change(order_no, rules[0].tag, rule_id))
    return puts, takes
