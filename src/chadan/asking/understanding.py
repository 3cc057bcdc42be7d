"""What typed text means: an order number, filters, a question in natural language, or words to search for; in that order.

One function for the search box, the API's `q`, saved views, exports and the terminal. The words of the asker's shop are read
in the asker's scope; nobody's words reach another's reading.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from chadan.asking.answering import listed
from chadan.asking.notes import problems_of
from chadan.asking.shop_words import lexicon_of
from chadan.nlq.reading import Reading, query_of
from chadan.nlq_model import completing
from chadan.platform.errors import InvalidQuery
from chadan.platform.scope import Scope
from chadan.search import grammar
from chadan.search.order_query import OrderQuery
from chadan.search.problems import Problem
from chadan.search.wording import say

SPOKEN = 2_000
"""Characters of a question; anything longer is searched as text."""
_IMPOSSIBLE = frozenset({"no_such_date", "number_too_large"})


class Understood(NamedTuple):
    """The reading of a typed text; `said` is how natural language was read, None for numbers, filters and plain text."""

    parsed: grammar.Parsed
    said: Reading | None = None

    def ignored(self, found: OrderQuery) -> str:
        """The words that were left out where `found`, perhaps with other filters besides, is the reading that was taken."""
        text = self.parsed.query.text
        return text if self.said is not None and not found.text and text else ""


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
    """The query without the words that were not understood, if enough is left of it.

    A number about orders that only those words describe is about none of them: it is not answered about all of them.
    """
    without = query.replace(text="")
    about_all = listed(without).is_bare() and not without.group_by
    return [] if not query.text or about_all else [without]


def _as_text(query: OrderQuery, typed: OrderQuery) -> OrderQuery:
    """What was typed as plain text, as the last resort of a list; a question about numbers stays one."""
    return typed if query.intent == "list" else query
