"""Time passes without an event: once a minute orders that became overdue are handed to the evaluator."""

from __future__ import annotations

import msgspec

from chadan.orders.tags import Shop
from chadan.platform.scope import scoped
from chadan.search.matching import numbers_below
from chadan.search.order_query import Exclude, OrderQuery
from chadan.tagging.consumers import rulings_of
from chadan.tagging.evaluator import evaluate, shop_scope
from chadan.tagging.models import TagRule
from chadan.tagging.ruling import Ruling

MOST = 500
"""Orders of one rule in one look; the next look finds the others."""


def look() -> int:
    """Tags orders that are newly overdue, shop by shop; returns how many tags were put on."""
    shops: dict[Shop, None] = {}
    for merchant_id, home in TagRule.objects.filter(enabled=True, overdue=True).values_list("merchant_id", "home"):
        shops[Shop(merchant_id, home)] = None
    return sum(_shop(shop) for shop in shops)


def _shop(shop: Shop) -> int:
    rulings = rulings_of([shop.merchant_id]).get(shop.merchant_id, [])
    candidates: set[int] = set()
    with scoped(shop_scope(shop)) as session:
        for ruling in rulings:
            if ruling.beside.overdue:
                found = numbers_below(session, shop_scope(shop), _untagged(ruling), None, MOST, ruling.beside)
                candidates.update(found)
        return len(evaluate(session, shop, rulings, sorted(candidates)).added)


def _untagged(ruling: Ruling) -> OrderQuery:
    """The rule's query, of orders that do not bear its tag yet."""
    exclude = ruling.query.exclude or Exclude()
    names = dict.fromkeys((*exclude.tag, ruling.tag.name))
    return ruling.query.replace(exclude=msgspec.structs.replace(exclude, tag=tuple(names)))
