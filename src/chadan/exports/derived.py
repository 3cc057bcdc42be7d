"""What need not be read with every order: when it was placed, from its number; what its product was, from the version."""

from __future__ import annotations

from collections.abc import Sequence

from chadan.exports.columns import Column
from chadan.orders import number
from chadan.platform.scope import Session
from chadan.search import compiler_export as sql

_KEPT = 20_000
_MINUTES = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(24 * 60)]
_SECONDS = [f":{second:02d}+08" for second in range(60)]


def placed_texts(numbers: Sequence[str]) -> list[str]:
    """When orders were placed, from their numbers as text: `2026-01-02 03:04:05+08`, as PostgreSQL writes it."""
    if len(numbers[0]) != number.LENGTH or len(numbers[-1]) != number.LENGTH:  # numbers in order: all others lie between
        numbers = [one.zfill(number.LENGTH) for one in numbers]
    days = {day: f"20{day[:2]}-{day[2:4]}-{day[4:]} " for day in {one[:6] for one in numbers}}
    minutes, seconds = _MINUTES, _SECONDS
    return [
        f"{days[one[:6]]}{minutes[(second := int(one[6:11])) // 60]}{seconds[second % 60]}" for one in numbers
    ]


class Versions:
    """The words of the product versions met so far. Versions never change, so they are read once in an export."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._words: dict[Column, dict[str, str]] = {column: {} for column in columns}

    def learn(self, session: Session, ids: Sequence[str]) -> None:
        """Reads what is not known yet of these versions; forgets the others when there are too many."""
        known = self._words[self._columns[0]]
        missing = set(ids) - known.keys()
        if not missing:
            return
        if len(known) + len(missing) > _KEPT:
            missing = set(ids)
            for words in self._words.values():
                words.clear()
        statement = sql.versions_statement(self._columns, sorted(map(int, missing)))
        for one, *values in session.rows(statement.text, statement.params):
            for column, value in zip(self._columns, values, strict=True):
                self._words[column][one] = value

    def values(self, column: Column, ids: Sequence[str]) -> list[str]:
        """The column's value for each of these versions."""
        return list(map(self._words[column].__getitem__, ids))
