"""CSV that spreadsheets open unharmed: UTF-8 with BOM, CRLF, formulas defused, long numbers kept as text.

Why a value is guarded the way it is: docs/decisions/010-csv-for-spreadsheets.md. Rendering goes column by column: what
needs no escape, nearly everything, is only checked, all at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

from chadan.exports.kinds import Cell, Kind, local_text, yuan

BOM = b"\xef\xbb\xbf"
EOL = "\r\n"
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
"""A spreadsheet takes a cell that begins with one of these for a formula (OWASP, CSV injection)."""
_SUSPECT = re.compile('"|\n[=+\\-@\t\r＝＋－＠]')
_REPEATED = 4  # a column of texts that occur this often on average is judged by its distinct texts
_SECONDS = 19  # characters of 2026-01-02 03:04:05

Column = tuple[str, Sequence[str], str]
"""A rendered column: what stands before each value, the values, what stands behind."""


def quoted(text: str) -> str:
    """A text cell: always quoted, and with an apostrophe in front where it would be a formula."""
    return f'"{_escaped(text)}"'


def code(text: str) -> str:
    """An order number or account: a tab behind it keeps spreadsheets from reading a number; nothing if empty."""
    return f'"{_escaped(text)}\t"' if text else ""


def _escaped(text: str) -> str:
    guard = "'" if text[:1] and text[0] in FORMULA_STARTS else ""
    return guard + text.replace('"', '""')


def _texts(cells: Sequence[Any]) -> Column:
    if None in cells:
        cells = ["" if cell is None else cell for cell in cells]
    distinct = set(cells)
    if len(distinct) * _REPEATED >= len(cells):
        return '"', _checked(cells), '"'
    changed = {text: escaped for text in distinct if (escaped := _escaped(text)) != text}
    return '"', [changed.get(cell, cell) for cell in cells] if changed else cells, '"'


def _codes(cells: Sequence[Any]) -> Column:
    if None not in cells and "" not in cells and "".join(cells).isdigit():
        return '"', cells, '\t"'
    values = _checked(cells)
    if "" in values:
        return "", [f'"{value}\t"' if value else "" for value in values], ""
    return '"', values, '\t"'


def _checked(cells: Sequence[Any]) -> Sequence[str]:
    """The cells, escaped and guarded where any of them needs it."""
    if None in cells:
        cells = ["" if cell is None else cell for cell in cells]
    together = "\n" + "\n".join(cells)
    if _SUSPECT.search(together) or ("\n\n" in together and "\n\n" in "\n" + "\n".join(filter(None, cells))):
        return list(map(_escaped, cells))
    return cells


def _integers(cells: Sequence[Any]) -> Column:
    if set(map(type, cells)) == {str}:
        return "", cells, ""
    return "", ["" if cell is None else str(cell) for cell in cells], ""


def _money(cells: Sequence[Any]) -> Column:
    if set(map(type, cells)) == {str}:
        return "", cells, ""
    known = {fen: "" if fen is None else fen if isinstance(fen, str) else yuan(fen) for fen in set(cells)}
    return "", list(map(known.__getitem__, cells)), ""


def _moments(cells: Sequence[Any]) -> Column:
    if None not in cells and set(map(type, cells)) == {str}:
        return "", [cell[:_SECONDS] for cell in cells], ""
    return "", [_moment(cell) for cell in cells], ""


def _moment(cell: Any) -> str:
    if isinstance(cell, str):
        return cell[:_SECONDS]
    return "" if cell is None else local_text(cell)


_RENDER: dict[Kind, Callable[[Sequence[Any]], Column]] = {
    Kind.TEXT: _texts,
    Kind.CODE: _codes,
    Kind.INTEGER: _integers,
    Kind.MONEY: _money,
    Kind.DATETIME: _moments,
}


def laid_out(columns: Sequence[Column], count: int) -> str:
    """`count` lines of these columns, each line ended: constants and values are laid into one list and joined."""
    marks = [""]
    for index, (before, _, after) in enumerate(columns):
        marks[-1] += f",{before}" if index else before
        marks.append(after)
    marks[-1] += EOL
    template = [""] * (len(marks) + len(columns))
    template[::2] = marks
    parts = template * count
    for index, (_, values, _) in enumerate(columns):
        parts[2 * index + 1 :: len(template)] = values
    return "".join(parts)


def header(names: Sequence[str]) -> bytes:
    """The BOM and the heading line."""
    return BOM + (",".join(map(quoted, names)) + EOL).encode()


class CsvWriter:
    """Writes rows to a seekable binary file; `offset` after a batch is all it takes to go on later."""

    def __init__(self, file: BinaryIO, names: Sequence[str], kinds: Sequence[Kind], offset: int = 0) -> None:
        """Starts a file, or cuts it at `offset` and goes on there."""
        self._file = file
        self._kinds = kinds
        self.offset = offset
        file.truncate(offset)
        file.seek(offset)
        if not offset:
            self._put(header(names))

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Appends a batch of rows."""
        columns = list(zip(*rows, strict=True))
        if columns:
            self.write_columns(columns)

    def write_columns(self, columns: Sequence[Sequence[Cell]]) -> None:
        """Appends a batch given by columns. A str is a number already rendered, or local time as ISO text."""
        rendered = [_RENDER[kind](cells) for kind, cells in zip(self._kinds, columns, strict=True)]
        self._put(laid_out(rendered, len(columns[0])).encode())

    def _put(self, text: bytes) -> None:
        self._file.write(text)
        self.offset += len(text)
