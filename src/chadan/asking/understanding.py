"""What typed text means: an order number, filters, a question in natural language, or words to search for; in that order.

One function for the search box, the API's `q`, saved views, exports and the terminal. The words of the asker's shop are read
in the asker's scope; nobody's words reach another's reading.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from chadan.asking.notes import problems_of
from chadan.nlq.lexicon import Lexicon
from chadan.nlq.reading import Reading, query_of
from chadan.nlq.shop_terms import shop_lexicon
from chadan.nlq_model import completing
from chadan.platform.errors import InvalidQuery
from chadan.platform.scope import NOBODY, Scope
from chadan.search import grammar
from chadan.search.order_query import OrderQuery
from chadan.search.problems import Problem
from chadan.search.wording import say

SPOKEN = 2_000
"""Characters of a question; anything longer is searched as text."""
FRESH = 20.0
"""Seconds the words of a shop are kept: what was renamed is understood under its new name after that."""
KEPT = 200
EVERYBODY = Scope(buyer=0)
"""Under whose name the words are kept of those who have no shop."""
_IMPOSSIBLE = frozenset({"no_such_date", "number_too_large"})


class Understood(NamedTuple):
    """The reading of a typed text; `said` is how natural language was read, None for numbers, filters and plain text."""

    parsed: grammar.Parsed
    said: Reading | None = None


def understand(text: str, now: datetime, scope: Scope) -> Understood:
    """Reads what somebody with `scope` typed at `now` (aware). Raises InvalidQuery for text over 64 KB.

    Words nobody knows are soft: the query without them comes next among `otherwise`, and the bare text last.
    """
    parsed = grammar.parse(text, now=now)
    if parsed.jump is not None or grammar.has_filters(text) or len(text) > SPOKEN:
        return Understood(parsed)
    if not parsed.query.text:  # all of it was read as numbers
        return Understood(parsed)
    said = completing.understand(text, now, lexicon_of(scope))
    try:
        query = query_of(said.got)
    except InvalidQuery:  # more than a query holds: searched as text
        return Understood(parsed)
    problems = [*parsed.problems, *problems_of(said)]
    if query == OrderQuery() and not any(character.isalnum() for character in text):
        problems.append(Problem("note_nothing", say("Nothing in this could be understood: all orders are shown.")))
    # What cannot be (31 February) is no unknown word: without it the answer would be to another question.
    soft = [] if any(note.get("code") in _IMPOSSIBLE for note in said.notes) else _softer(query)
    readings = [query, *soft, *([] if query.text == parsed.query.text else [_as_text(query, parsed.query)])]
    readings += parsed.otherwise
    first, *others = dict.fromkeys(readings)
    heard = said if query != OrderQuery(text=query.text) else None
    return Understood(grammar.Parsed(None, first, tuple(dict.fromkeys(problems)), tuple(others)), heard)


def _softer(query: OrderQuery) -> list[OrderQuery]:
    """The query without the words that were not understood, if anything is left of it."""
    if not query.text:
        return []
    without = query.replace(text="")
    return [] if without.is_bare() and without.intent == "list" else [without]


def _as_text(query: OrderQuery, typed: OrderQuery) -> OrderQuery:
    """What was typed as plain text, as the last resort of a list; a question about numbers stays one."""
    return typed if query.intent == "list" else query


_lexicons: OrderedDict[Scope, tuple[float, Lexicon]] = OrderedDict()
_lock = Lock()


def lexicon_of(scope: Scope) -> Lexicon:
    """The built-in words with those the scope may know, kept for FRESH seconds; buyers and operators share the shops' names."""
    if scope == NOBODY:
        return Lexicon.seed()
    kept_for = scope if scope.merchants else EVERYBODY
    moment = time.monotonic()
    with _lock:
        kept = _lexicons.get(kept_for)
        if kept and moment - kept[0] < FRESH:
            _lexicons.move_to_end(kept_for)
            return kept[1]
    fresh = shop_lexicon(scope)
    with _lock:
        _lexicons[kept_for] = (moment, fresh)
        while len(_lexicons) > KEPT:
            _lexicons.popitem(last=False)
    return fresh


def forget_words() -> None:
    """Lets every shop's words be read again with the next question."""
    with _lock:
        _lexicons.clear()
