"""The consumer that evaluates a shop's rules for every order something happened to (eventlog.consumers)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

from chadan.eventlog.consumers import consumer
from chadan.eventlog.reading import Event
from chadan.orders.tags import Shop
from chadan.platform.errors import ChadanError
from chadan.platform.scope import Session, scoped
from chadan.search.beside import later_orders
from chadan.tagging.evaluator import ACTOR, evaluate, shop_scope
from chadan.tagging.models import TagRule
from chadan.tagging.ruling import Ruling

log = logging.getLogger(__name__)
NAME = "tagging.rules"
TURNS = frozenset({"order.completed", "order.after_sale", "order.refunded"})
"""What changes how many orders a buyer has completed: the buyer's later orders are evaluated too."""


def is_own(event: Event) -> bool:
    """Whether a rule itself caused the event: those are left out, or a rule's tag would set off its evaluation again."""
    return event.actor.get("kind") == "system" and event.actor.get("name") == ACTOR


@consumer(NAME)
def follow(_session: Session, events: Sequence[Event]) -> None:
    """Evaluates each order of the batch once, shop by shop; shops without a rule that is on cost nothing.

    What happened before a shop's first rule was switched on is the past: a job applies rules to that.
    """
    touched: dict[Shop, list[Event]] = defaultdict(list)
    for event in events:
        if not is_own(event):
            touched[Shop(event.merchant_id, event.home)].append(event)
    if not touched:
        return
    rules = rulings_of(shop.merchant_id for shop in touched)
    for shop, its in touched.items():
        if rulings := rules.get(shop.merchant_id):
            oldest = min(ruling.since for ruling in rulings if ruling.since)
            if since := [event for event in its if event.at >= oldest]:
                with scoped(shop_scope(shop)) as session:
                    evaluate(session, shop, rulings, sorted(_orders(session, rulings, since)))


def _orders(session: Session, rulings: list[Ruling], events: list[Event]) -> set[int]:
    """The orders of the events, and those that these changed without an event of their own."""
    orders = {event.order_no for event in events}
    turned = sorted({event.order_no for event in events if event.type in TURNS})
    counting = [ruling.beside for ruling in rulings if ruling.beside.buyer_orders is not None]
    if turned and counting:
        days = None if any(one.buyer_days is None for one in counting) else max(one.buyer_days or 0 for one in counting)
        orders |= later_orders(session, turned, days)
    return orders


def rulings_of(merchants: Iterable[int]) -> dict[int, list[Ruling]]:
    """The rules that are on, by merchant, oldest first. One that cannot be read any more is left out and says why."""
    rules: dict[int, list[Ruling]] = defaultdict(list)
    found = TagRule.objects.filter(merchant_id__in=list(merchants), enabled=True).select_related("tag").order_by("pk")
    for rule in found:
        try:
            rules[rule.merchant_id].append(Ruling.of(rule))
        except ChadanError as error:
            log.warning("rule left out", extra={"rule": rule.pk, "reason": error.code})
            TagRule.objects.filter(pk=rule.pk).exclude(error=str(error)[:300]).update(error=str(error)[:300])
    return rules
