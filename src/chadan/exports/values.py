"""From the database's values, all of them texts, to an export's cells: words for codes, yuan, masking. Column by column.

Amounts repeat, so each distinct one is worked on once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chadan.exports.columns import SPECS, Column
from chadan.exports.kinds import Cell, Kind, yuan
from chadan.exports.masking import mask_all
from chadan.orders import number
from chadan.search.compiler_export import CATEGORY_CODES

_AMOUNTS = 50_000

Finish = Callable[[Sequence[Sequence[Any]]], list[Sequence[Cell]]]
"""Turns a chunk's columns of plain values into columns of cells."""


def finisher(columns: Sequence[Column], words: Mapping[Column, tuple[str, ...]], *, masked: bool) -> Finish:
    """The conversion for these columns; `words` are those behind codes (labels.words_in)."""
    steps = [_step(column, words, masked=masked) for column in columns]

    def finish(chunk: Sequence[Sequence[Any]]) -> list[Sequence[Cell]]:
        return [step(values) if step else values for step, values in zip(steps, chunk, strict=True)]

    return finish


def _step(
    column: Column, words: Mapping[Column, tuple[str, ...]], *, masked: bool
) -> Callable[[Sequence[Any]], Sequence[Cell]] | None:
    if column is Column.CATEGORY:
        coded = {chr(CATEGORY_CODES + code): word for code, word in enumerate(words[column])}
        return lambda values: [coded.get(value, value) for value in values]
    if column in words:
        listed: dict[str | None, str | None] = {None: None}
        listed.update((str(code), word) for code, word in enumerate(words[column]))
        return lambda values: list(map(listed.__getitem__, values))
    if column in (Column.ORDER_NO, Column.PARENT_ORDER_NO):
        return _numbers
    if SPECS[column].kind is Kind.MONEY:
        known = _Yuan()
        return known.all
    if masked and SPECS[column].masked:
        return mask_all
    return None


def _numbers(values: Sequence[Any]) -> Sequence[Cell]:
    if None not in values and min(map(len, values)) == number.LENGTH:
        return values
    return [value and value.zfill(number.LENGTH) for value in values]


class _Yuan(dict[str | None, str | None]):
    """Yuan by fen, both texts: each amount is worked out once, whichever chunk it is in."""

    def all(self, values: Sequence[Any]) -> Sequence[Cell]:
        """The yuan of each; None stays None."""
        if len(self) > _AMOUNTS:
            self.clear()
        return list(map(self.__getitem__, values))

    def __missing__(self, fen: str | None) -> str | None:
        self[fen] = found = None if fen is None else yuan(int(fen))
        return found
