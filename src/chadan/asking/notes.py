"""What a reading has to say besides: dates that do not exist, filters that leave nothing, numbers that are too large."""

from __future__ import annotations

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
    "repaired": "“{written}” was read as “{read}”.",
    "by_model": "A language model helped to read “{words}”.",
}
_PREFIX = "note_"
_REMARKS = frozenset({f"{_PREFIX}repaired", f"{_PREFIX}by_model"})


def problems_of(said: Reading) -> list[Problem]:
    """A sentence for every note of the reading, each once."""
    found = []
    for note in said.notes:
        sentence = _SENTENCES.get(str(note.get("code")))
        if sentence:
            values = {name: str(value)[:60] for name, value in note.items() if name != "code"}
            found.append(Problem(f"{_PREFIX}{note['code']}", say(sentence, **values)))
    return list(dict.fromkeys(found))


def is_note(problem: Problem) -> bool:
    """Whether a problem only says how a question was read: it is worth a line, not a refusal."""
    return problem.code.startswith(_PREFIX)


def is_remark(problem: Problem) -> bool:
    """Whether a note leaves nothing out: misspelt words were repaired, a model helped."""
    return problem.code in _REMARKS
