"""What a reading has to say besides: dates that do not exist, filters that leave nothing, numbers that are too large."""

from __future__ import annotations

from typing import Any

from chadan.nlq.reading import Reading
from chadan.search.problems import Problem
from chadan.search.wording import say

_SENTENCES = {
    "too_long": "Only the first {read} characters were read.",
    "no_such_date": "There is no such day as “{text}”: it was searched as text.",
    "number_too_large": "“{text}” is more than an amount can be: it was searched as text.",
    "contradictory_range": "Two amounts leave nothing between them: the first one was taken.",
    "contradictory_time": "Two times leave nothing between them: the first one was taken.",
    "second_time": "Two times were named: the first one was taken.",
    "empty_time": "The times leave nothing between them: the first one was taken.",
    "wanted_and_excluded": "The same thing is wanted and excluded: it was excluded.",
    "not_parsed": "A part of the text looks like commands, not like a question: it was searched as text.",
    "too_many_values": "A filter holds fewer values than you named: the first ones were taken.",
    "text_cut": "The text was too long: its beginning was searched.",
}


_REPAIRED = "“{written}” was read as “{read}”."


def problems_of(said: Reading) -> list[Problem]:
    """A sentence for every note of the reading that leaves something out, each once."""
    found = [
        Problem(f"note_{note['code']}", say(_SENTENCES[note["code"]], **_values(note)))
        for note in said.notes
        if note["code"] in _SENTENCES
    ]
    return list(dict.fromkeys(found))


def remarks_of(said: Reading) -> list[str]:
    """What is worth saying though nothing is wrong: misspelt words and what they were read as."""
    return list(dict.fromkeys(say(_REPAIRED, **_values(note)) for note in said.notes if note["code"] == "repaired"))


def _values(note: dict[str, Any]) -> dict[str, str]:
    return {name: str(value)[:60] for name, value in note.items() if name != "code"}
