"""Many rows in one message: each column is one text, unpacked by one split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chadan.platform.scope import Session
from chadan.search import compiler_export as sql
from chadan.search.scope_sql import Sql

Packed = str | list[str | None]
"""A column's values: joined by SEPARATOR, or a list of them."""


def read_packed(session: Session, rows: Sql, names: Sequence[str]) -> tuple[int, dict[str, Packed]]:
    """How many rows `rows` finds, and by name its first column, `no`, and the others; nothing when there is no row."""
    packed = sql.packed_statement(rows, names)
    count, *texts = session.rows(packed.text, packed.params)[0]
    if not count:
        return 0, {}
    columns: list[Any] = texts
    if any(text.count(sql.SEPARATOR) != count - 1 for text in texts):  # a value holds one: take them singly
        singly = session.rows(rows.text, rows.params)
        count, columns = len(singly), list(map(list, zip(*singly, strict=True)))
        if not count:
            return 0, {}
    return count, dict(zip(("no", *names), columns, strict=True))


def unpacked(values: Packed) -> list[str | None]:
    """The values."""
    if isinstance(values, list):
        return values
    split: list[str | None] = [*values.split(sql.SEPARATOR)]
    return [None if value == sql.NULL else value for value in split] if sql.NULL in values else split


def last_of(values: Packed) -> str:
    """The last value of a column without NULL."""
    return values.rpartition(sql.SEPARATOR)[2] if isinstance(values, str) else values[-1] or ""
