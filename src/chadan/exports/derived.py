"""What is not read with every order: when it was placed, which its number tells, and words many orders share."""

from __future__ import annotations

from collections.abc import Sequence

from chadan.exports.columns import Column
from chadan.exports.packed import read_packed, unpacked
from chadan.orders import number
from chadan.platform.scope import Session
from chadan.search import compiler_export as sql

_KEPT = 50_000  # about ten megabytes of names
_MINUTES = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(24 * 60)]
_SECONDS = [f":{second:02d}+08" for second in range(60)]


def placed_texts(numbers: Sequence[str]) -> list[str]:
    """When orders were placed, from their numbers as text: `2026-01-02 03:04:05+08`, as PostgreSQL writes it."""
    if {len(numbers[0]), len(numbers[-1])} != {number.LENGTH}:  # they are in order: all others lie between
        numbers = [one.zfill(number.LENGTH) for one in numbers]
    days = {day: f"20{day[:2]}-{day[2:4]}-{day[4:]} " for day in {one[:6] for one in numbers}}
    minutes, seconds = _MINUTES, _SECONDS
    return [f"{days[one[:6]]}{minutes[(second := int(one[6:11])) // 60]}{seconds[second % 60]}" for one in numbers]


Words = dict[Column, dict[str | None, str | None]]
"""What stands behind ids, by column and by the id as text."""


class Memory:
    """The words behind the ids of one lookup, the most recent ones kept: twice _KEPT at most, and a chunk's own always."""

    def __init__(self, lookup: sql.Lookup, columns: Sequence[Column]) -> None:
        """Of the lookup's values those of `columns` are wanted."""
        self._lookup = lookup
        self._columns = [column for column in columns if column in lookup.values]
        self._recent: Words = self._none()
        self._older: Words = self._none()

    def words(self, session: Session, ids: Sequence[str | None]) -> Words:
        """The words behind these ids, among others; what is missing is read. What is returned only ever grows."""
        wanted = set(ids)
        first = self._columns[0]
        if len(self._recent[first]) + len(wanted) > _KEPT:
            self._older, self._recent = self._recent, self._none()
        missing = wanted.difference(self._recent[first])
        known = [one for one in missing if one in self._older[first]]
        for column in self._columns:
            older = self._older[column]
            self._recent[column].update({one: older[one] for one in known})
        self._read(session, [one for one in missing.difference(known) if one is not None])
        return self._recent

    def _read(self, session: Session, ids: list[str]) -> None:
        if not ids:
            return
        statement = sql.lookup_statement(self._lookup, self._columns, ids)
        _, found = read_packed(session, statement, [column.value for column in self._columns])
        read = {name: unpacked(values) for name, values in found.items()}
        for column in self._columns:
            words = self._recent[column]
            words.update(dict.fromkeys(ids))  # an order stays in the export even where nothing stands behind an id
            if read:
                words.update(zip(read["no"], read[column.value], strict=True))

    def _none(self) -> Words:
        """Nothing stands behind no id."""
        return {column: {None: None} for column in self._columns}
