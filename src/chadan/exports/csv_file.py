"""CSV that spreadsheets open unharmed: UTF-8 with BOM, CRLF, formulas defused, long numbers kept as text.

Why a value is guarded the way it is: docs/decisions/010-csv-for-spreadsheets.md. The same rendering exists as SQL in
chadan.search.compiler_export, where PostgreSQL writes whole chunks; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

from chadan.exports.kinds import Cell, Kind, local_text, yuan

BOM = b"\xef\xbb\xbf"
EOL = "\r\n"
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
"""A spreadsheet takes a cell that begins with one of these for a formula (OWASP, CSV injection)."""


def quoted(text: str) -> str:
    """A text cell: quoted, and with an apostrophe in front where it would be a formula."""
    guard = "'" if text[:1] and text[0] in FORMULA_STARTS else ""
    return f'"{guard}{text.replace(chr(34), chr(34) * 2)}"' if text else ""


def code(text: str) -> str:
    """An order number or account: a tab behind it keeps spreadsheets from reading a number."""
    return quoted(f"{text}\t") if text else ""


_RENDER: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: quoted,
    Kind.CODE: code,
    Kind.INTEGER: str,
    Kind.MONEY: yuan,
    Kind.DATETIME: local_text,
}


def line(cells: Iterable[Cell], kinds: Iterable[Kind]) -> str:
    """One row, its line end included; None and empty texts are empty fields."""
    parts = (("" if cell is None else _RENDER[kind](cell)) for cell, kind in zip(cells, kinds, strict=True))
    return ",".join(parts) + EOL


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
            self.write_text(header(names))

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Appends a batch."""
        self.write_text("".join(line(row, self._kinds) for row in rows).encode())

    def write_text(self, text: bytes) -> None:
        """Appends lines that are already CSV, each ended by CRLF."""
        self._file.write(text)
        self.offset += len(text)
