"""From the database's values, all of them texts, to an export's cells: words for codes, yuan, masking. Column by column.

Values repeat within a chunk, so each distinct one is worked on once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chadan.exports.columns import SPECS, Column
from chadan.exports.kinds import Cell, Kind, yuan
from chadan.exports.masking import mask_all
from chadan.orders import number
from chadan.search.compiler_export import CATEGORY_CODES

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
        return lambda values: [value and value.zfill(number.LENGTH) for value in values]
    if SPECS[column].kind is Kind.MONEY:
        return _distinct(lambda fen: yuan(int(fen)))
    if masked and SPECS[column].masked:
        return mask_all
    return None


def _distinct(change: Callable[[Any], str]) -> Callable[[Sequence[Any]], Sequence[Cell]]:
    def changed(values: Sequence[Any]) -> Sequence[Cell]:
        known = {value: None if value is None else change(value) for value in set(values)}
        return list(map(known.__getitem__, values))

    return changed
