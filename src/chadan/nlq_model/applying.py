"""A model's assignments put into a reading: only words that the rules left, only slots they left, only values we know."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.reading import Reading, Span, query_of, read
from chadan.nlq.residue import MAX_TEXT
from chadan.nlq_model.placeholders import Placeholders
from chadan.nlq_model.slots import EXCLUDABLE, IDS, NAMED, PARSED, SLOTS, VALUES, WORDED, vocabulary
from chadan.platform.errors import InvalidQuery

MOST = 12
"""Assignments that are looked at."""
Json = dict[str, Any]


def unexplained(reading: Reading) -> list[str]:
    """The words nobody understood; not those that stand in quotes or in a remark, which are text by what was said."""
    quoted = {span.value for span in reading.spans if span.slot == "text"}
    return [words for words in reading.unknown if words not in quoted]


def applied(
    q: str, reading: Reading, given: Iterable[Any], hidden: Placeholders, *, now: datetime, lexicon: Lexicon
) -> Reading | None:
    """The reading with what may be taken of `given`; None when nothing of it may."""
    draft = _Draft(q, reading, now, lexicon)
    for one in list(given)[:MOST]:
        if isinstance(one, dict):
            draft.take(one, hidden)
    return draft.reading()


class _Draft:
    """A reading in the making."""

    def __init__(self, q: str, reading: Reading, now: datetime, lexicon: Lexicon) -> None:
        self._q, self._old, self._now, self._lexicon = q, reading, now, lexicon
        self._kept = {*reading.got, *(f"exclude.{name}" for name in reading.got.get("exclude", {}))}
        self._got: Json = {name: value for name, value in reading.got.items() if name != "text"}
        self._offered = unexplained(reading)
        self._left = list(reading.unknown)
        self._spans: list[Span] = []

    def take(self, one: Json, hidden: Placeholders) -> None:
        """One assignment, if it is one."""
        words, slot, value = one.get("words"), one.get("slot"), one.get("value")
        excluded = one.get("exclude", False)
        if not (isinstance(words, str) and isinstance(slot, str) and isinstance(excluded, bool)) or slot not in SLOTS:
            return
        if value is not None and not isinstance(value, str):
            return
        words = hidden.show(words).strip()
        place = self._place(words)
        if place is None or self._taken(slot, excluded=excluded):
            return
        worked_out = self._value(slot, words, value)
        if worked_out is None or not self._put(slot, worked_out, excluded=excluded):
            return
        start = self._q.find(words)
        self._spans.append(Span(max(start, 0), max(start, 0) + len(words), slot, worked_out, excluded))
        before, _, after = self._left[place].partition(words)
        self._left[place : place + 1] = [part.strip() for part in (before, after) if part.strip()]

    def _place(self, words: str) -> int | None:
        """Which of the words that are left holds these."""
        if not words or not any(words in offered for offered in self._offered):
            return None
        return next((index for index, left in enumerate(self._left) if words in left), None)

    def _taken(self, slot: str, *, excluded: bool) -> bool:
        """Whether the rules have filled the slot: they are never overridden, nor widened."""
        if excluded and slot not in EXCLUDABLE:
            return True
        return slot in self._kept or f"exclude.{slot}" in self._kept

    def _value(self, slot: str, words: str, value: str | None) -> Any:
        """What goes into the slot; None for nothing."""
        if slot in VALUES:
            return value if value in VALUES[slot] else None
        if slot in NAMED:
            return next((name for name in (value, words) if name in vocabulary(self._lexicon, slot)), None)
        if slot in PARSED:
            understood = read(words, now=self._now, lexicon=self._lexicon)
            return understood.got[slot] if set(understood.got) == {slot} and not understood.unknown else None
        if slot in IDS and not re.search(r"[0-9@]", words):
            return None
        return words if slot in WORDED else None

    def _put(self, slot: str, value: Any, *, excluded: bool) -> bool:
        """Writes the value where the query holds it; False when the query is none with it."""
        changed: Json = {name: _copy(inner) for name, inner in self._got.items()}
        holder = changed.setdefault("exclude", {}) if excluded else changed
        if slot in PARSED or slot == "intent":
            if slot in holder:
                return False
            holder[slot] = value
        elif slot in IDS:
            holder.setdefault(slot, {}).setdefault("equals", []).append(value)
        elif value not in holder.setdefault(slot, []):
            holder[slot].append(value)
        try:
            query_of(changed)
        except InvalidQuery:
            return False
        self._got = changed
        return True

    def reading(self) -> Reading | None:
        """The finished reading."""
        if not self._spans:
            return None
        text = " ".join(self._left)[:MAX_TEXT].strip()
        got = {**self._got, **({"text": text} if text else {})}
        spans = sorted([*self._old.spans, *self._spans], key=lambda span: (span.start, span.end))
        words = "、".join(self._q[span.start : span.end] for span in self._spans)
        return Reading(got, spans, self._left, [*self._old.notes, {"code": "by_model", "words": words}], source="model")


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, list) else value
