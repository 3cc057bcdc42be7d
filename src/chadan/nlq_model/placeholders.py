"""Nothing that names a person, an order or a secret is sent: placeholders go instead, and come back as what they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.normalise import fold
from chadan.nlq.reading import Reading

PERSONAL = frozenset({"order_no", "external_no", "account", "buyer", "merchant", "agent", "supplier", "tag", "text"})
"""Slots whose words are never sent. Of a remark or a quotation the words are the buyer's."""
NAMES = frozenset({"buyer", "merchant", "agent", "supplier", "tag"})
_BRACKETS = str.maketrans({"⟦": "(", "⟧": ")"})
_MARK = re.compile(r"⟦([0-9]{1,3})⟧")
_SHAPES = re.compile(
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]*"  # e-mail
    r"|(?:cd_live_|sk-)[A-Za-z0-9_-]*"  # keys
    r"|[0-9*＊][0-9０-９*＊ -]{3,}[0-9*＊]"  # numbers of five digits and more, also spaced or masked
    r"|[０-９]{5,}"
    r"|(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{6,}"  # letters and digits mixed: game accounts, card codes
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}[- ][0-9]{1,2}(?:[- ][0-9]{1,2})?")


class Placeholders:
    """The placeholders of one question. The same words get the same placeholder wherever they stand."""

    def __init__(self, q: str, reading: Reading, lexicon: Lexicon) -> None:
        """Collects what must not be sent: what the rules took for personal, what looks it, names known from the shop."""
        self.question = q.translate(_BRACKETS)
        said = {q[span.start : span.end].strip() for span in reading.spans if span.slot in PERSONAL}
        said |= {text for span in reading.spans if span.slot in PERSONAL for text in _texts(span.value)}
        said |= set(_known(q, lexicon))
        said |= {found for found in _SHAPES.findall(self.question) if not _YEAR.fullmatch(found)}
        sought = [re.escape(word.translate(_BRACKETS)) for word in said if word]
        # As they stand in the question, in whatever case: what comes back has to be what was typed.
        standing = {found for word in sought for found in re.findall(word, self.question, re.IGNORECASE)}
        self._words = sorted(standing, key=lambda word: (-len(word), word))

    def hide(self, text: str) -> str:
        """The text with placeholders."""
        parts = [text.translate(_BRACKETS)]
        for number, word in enumerate(self._words, 1):
            mark = f"⟦{number}⟧"
            parts = [piece for part in parts for piece in _cut(part, word, mark)]
        return "".join(parts)

    def show(self, text: str) -> str:
        """The text with the words back; a placeholder that was never given out stays."""
        return _MARK.sub(self._word, text)

    def _word(self, found: re.Match[str]) -> str:
        number = int(found[1])
        return self._words[number - 1] if 1 <= number <= len(self._words) else found[0]


def _cut(part: str, word: str, mark: str) -> list[str]:
    """The part with every occurrence of the word as a piece of its own; marks are left alone."""
    if _MARK.fullmatch(part):
        return [part]
    return [mark if index % 2 else piece for index, piece in enumerate(re.split(f"({re.escape(word)})", part))]


def _texts(value: object) -> Iterable[str]:
    """The texts in a span's value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _known(q: str, lexicon: Lexicon) -> list[str]:
    """Names of the shop's people that stand in the question as written or folded."""
    folded = [fold(character) for character in q]
    starts = [index for index, piece in enumerate(folded) for _ in piece]
    text = "".join(folded)
    found = []
    for alias, term in lexicon.terms.items():
        if term.slot in NAMES:
            place = text.find(alias)
            while place >= 0:
                found.append(q[starts[place] : starts[place + len(alias) - 1] + 1])
                place = text.find(alias, place + 1)
    return found
