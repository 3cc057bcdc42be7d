"""The files an export can become: each takes rendered chunks, can be described after any of them, and be continued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO, Protocol

from chadan.exports.columns import SPECS, Column
from chadan.exports.csv_file import EOL, CsvWriter, laid_out
from chadan.exports.kinds import Cell, Kind
from chadan.exports.source import Rows
from chadan.exports.xlsx import SheetColumn, XlsxState, XlsxWriter
from chadan.search.compiler_export import Moments


class Sink(Protocol):
    """Where chunks go."""

    def put(self, chunk: Rows) -> None:
        """Appends a chunk."""

    def state(self) -> dict[str, Any]:
        """What it takes to go on from here, as JSON values."""

    def close(self) -> None:
        """Completes the file."""


class CsvSink:
    """CSV for spreadsheets."""

    def __init__(
        self, file: BinaryIO, headers: Sequence[str], columns: Sequence[Column], state: dict[str, Any]
    ) -> None:
        kinds = [SPECS[column].kind for column in columns]
        self._writer = CsvWriter(file, headers, kinds, state.get("offset", 0))

    def put(self, chunk: Rows) -> None:
        """Appends lines."""
        self._writer.write_columns(chunk.columns)

    def state(self) -> dict[str, Any]:
        """The offset."""
        return {"offset": self._writer.offset}

    def close(self) -> None:
        """A CSV is complete after any line."""


class SpoolSink:
    """CSV for machines, which becomes Parquet: column names as heading, no guards, no BOM."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column], state: dict[str, Any]) -> None:
        self._file = file
        self._kinds = [SPECS[column].kind for column in columns]
        self._offset = state.get("offset", 0)
        file.truncate(self._offset)
        file.seek(self._offset)
        if not self._offset:
            self._write((",".join(columns) + EOL).encode())

    def put(self, chunk: Rows) -> None:
        """Appends lines."""
        columns = [_machine(kind, cells) for kind, cells in zip(self._kinds, chunk.columns, strict=True)]
        self._write(laid_out(columns, chunk.count).encode())

    def state(self) -> dict[str, Any]:
        """The offset."""
        return {"offset": self._offset}

    def close(self) -> None:
        """The conversion follows (chadan.exports.parquet)."""

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._offset += len(data)


class XlsxSink:
    """An Excel workbook."""

    def __init__(
        self, file: BinaryIO, headers: Sequence[str], columns: Sequence[Column], title: str, state: dict[str, Any]
    ) -> None:
        sheet = [
            SheetColumn(header, SPECS[column].kind, SPECS[column].width)
            for header, column in zip(headers, columns, strict=True)
        ]
        self._writer = XlsxWriter(file, sheet, title, XlsxState.from_json(state) if state else None)

    def put(self, chunk: Rows) -> None:
        """Appends rows."""
        self._writer.write_columns(chunk.columns)

    def state(self) -> dict[str, Any]:
        """The archive's directory so far, its offset, the sheet and the row in it."""
        return self._writer.state.to_json()

    def close(self) -> None:
        """Writes the directory."""
        self._writer.close()


MOMENTS = {"csv": Moments.TEXT, "xlsx": Moments.SERIAL, "parquet": Moments.TEXT}
"""How a format needs moments from the database."""


def _machine(kind: Kind, cells: Sequence[Cell]) -> tuple[str, list[str], str]:
    """A column for machines: texts quoted, everything else bare, nothing for None."""
    if kind in (Kind.TEXT, Kind.CODE):
        texts = ["" if cell is None else '"' + str(cell).replace('"', '""') + '"' for cell in cells]
        return "", texts, ""
    return "", ["" if cell is None else str(cell) for cell in cells], ""
