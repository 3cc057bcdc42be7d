"""The lexicon of an asker: the built-in words, those of the asker's shops, and the names on their latest orders.

What is read is read in the asker's scope: nobody's words reach another's reading. Buyers and the operator share the names of
shops, which are public, and learn no supplier or tag.
A lexicon is kept, and read again when its shop has changed (a stamp says so, looked at every few seconds) or has grown old.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

from chadan.nlq.lexicon import Lexicon, ShopTerm
from chadan.nlq.shop_terms import shop_names, shop_terms
from chadan.platform.scope import NOBODY, Matter, Scope, scoped
from chadan.search import service
from chadan.search.order_query import OrderQuery

LOOK_EVERY = 3.0
"""Seconds between two looks at a shop's stamp."""
OLD = 120.0
"""Seconds after which a lexicon is read again without a change: the latest orders have moved on."""
LATEST = 500
"""Orders whose names are read: the buyers and channels of a shop."""
MOST_TERMS = 40_000
"""Words of all kept lexicons together; one takes some 4 KB."""
EVERYBODY = Scope(buyer=0)
"""Under whose name the words are kept of those who have no shop."""
_PAUSE = 20
"""A lexicon that takes long to build is built so many times its time apart, and is old for as long."""
_OWN = " from {} where merchant_id = any(%(merchants)s::bigint[]) and home = any(%(homes)s::smallint[])"
_NAMES = "select count(*), sum(hashtext(name))" + _OWN
_STAMPS: tuple[tuple[Matter | None, str], ...] = (
    (None, "select count(*), sum(version_id)" + _OWN.format("products") + " and active"),
    (None, "select count(*), sum(agent_id)" + _OWN.format("resellers") + " and active"),
    (Matter.SUPPLIER, _NAMES.format("suppliers")),
    (Matter.TAG, _NAMES.format("tags")),
)
_SHOPS = "select count(*), sum(hashtext(name)) from merchants"

Stamp = tuple[tuple[object, ...], ...]


@dataclass(slots=True)
class _Kept:
    lexicon: Lexicon
    terms: int
    stamp: Stamp
    read_at: float
    look_at: float


_kept: OrderedDict[Scope, _Kept] = OrderedDict()
_lock = Lock()


def lexicon_of(scope: Scope) -> Lexicon:
    """The words somebody with `scope` may use; the built-in ones for nobody in particular."""
    if scope == NOBODY:
        return Lexicon.seed()
    if not scope.merchants:
        scope = EVERYBODY
    now = time.monotonic()
    with _lock:
        kept = _kept.get(scope)
        if kept:
            _kept.move_to_end(scope)
            if now < kept.look_at:
                return kept.lexicon
            kept.look_at = now + LOOK_EVERY  # the others go on with it while this one looks
    stamp = stamp_of(scope)
    if kept and stamp == kept.stamp and now - kept.read_at < OLD:
        return kept.lexicon
    terms = words_of(scope)
    lexicon = Lexicon.seed().with_shop(terms)
    done = time.monotonic()
    pause = max(LOOK_EVERY, _PAUSE * (done - now))
    with _lock:
        _kept[scope] = _Kept(lexicon, len(terms), stamp, done, done + pause)
        while len(_kept) > 1 and sum(one.terms for one in _kept.values()) > MOST_TERMS:
            _kept.popitem(last=False)
    return lexicon


def forget_words() -> None:
    """Lets every lexicon be read again with the next question."""
    with _lock:
        _kept.clear()


def stamp_of(scope: Scope) -> Stamp:
    """What changes when the words of the scope's shops do."""
    if not scope.merchants:
        with scoped(scope) as session:
            return tuple(session.rows(_SHOPS))
    owned = {"merchants": list(scope.merchants), "homes": list(scope.homes)}
    statements = [(sql, owned) for matter, sql in _STAMPS if matter is None or scope.may_ask(matter)]
    with scoped(scope) as session:
        return tuple(rows[0] for rows in session.many(statements))


def words_of(scope: Scope) -> list[ShopTerm]:
    """The words of the scope's shops, then the names on their latest orders that mean nothing yet.

    Whoever buys chooses a name: one that is a word of the shop's or of the language, or a part of one, is not read as a
    person's.
    """
    own = [*shop_names(scope), *shop_terms(scope)]
    if not scope.merchants:
        return own
    seed = Lexicon.seed()
    known = {alias.casefold() for alias, _slot, _name, _category in own}
    words = "\n".join((*known, *seed.terms))
    found: dict[str, ShopTerm] = {}
    for term in _latest(scope):
        alias, slot = term[0].casefold(), term[1]
        if alias in known or alias in found or seed.term(alias) is not None:
            continue
        if slot == "buyer" and alias in words:
            continue
        found[alias] = term
    return [*own, *found.values()]


def _latest(scope: Scope) -> Iterator[ShopTerm]:
    """(alias, slot, name, category) of the names on a shop's latest orders."""
    for row in service.find_orders(scope, OrderQuery(), limit=LATEST).rows:
        for slot, name in (("platform", row.platform), ("buyer", row.buyer_name)):
            if name:
                yield name, slot, name, None
