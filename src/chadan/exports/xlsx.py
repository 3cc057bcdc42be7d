"""A streaming XLSX writer: batches of rows in, a workbook out, memory independent of the number of rows.

Texts are inline strings formatted as text, so no value can become a formula, not even after an edit in Excel. Money and
counts are numbers, moments are real dates. Beyond 1,048,576 rows a further sheet begins with its own header. After every
batch the writer can be described by a small state and be continued from it (`archive`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Self
from xml.sax.saxutils import escape

from chadan.exports import xlsx_parts
from chadan.exports.archive import Archive, ArchiveState
from chadan.exports.kinds import Cell, Kind, serial, yuan

SHEET_ROWS = 1_048_576
"""Rows an Excel sheet holds, header included."""
CELL_CHARACTERS = 32_767
"""UTF-16 units an Excel cell holds; a longer text is cut, or Excel would call the file damaged."""
BATCH = 4096
_SLICE = 512  # a slice's checks (escapes, blanks) are made once per column, not once per cell
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column of the sheet: its heading, what it holds, its width in characters."""

    header: str
    kind: Kind = Kind.TEXT
    width: float = 16


@dataclass(slots=True)
class XlsxState:
    """Where the workbook stands after a batch: JSON-able, enough to go on."""

    archive: ArchiveState
    sheet: int = 0
    sheet_rows: int = 0
    rows: int = 0

    def to_json(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {
            "archive": self.archive.to_json(),
            "sheet": self.sheet,
            "sheet_rows": self.sheet_rows,
            "rows": self.rows,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The state that `to_json` wrote."""
        archive = ArchiveState.from_json(value["archive"])
        return cls(archive, value["sheet"], value["sheet_rows"], value["rows"])


class XlsxWriter:
    """Writes one table to a seekable binary file.

    Cells are `kinds.Cell`. A str in an INTEGER, MONEY or DATETIME column is taken as the number already rendered: "12.34",
    or days since 1899-12-30 for a moment. Moments are shown in Asia/Shanghai and keep their milliseconds.
    """

    def __init__(
        self,
        file: BinaryIO,
        columns: Sequence[SheetColumn],
        title: str = "Orders",
        state: XlsxState | None = None,
        sheet_rows: int = SHEET_ROWS,
    ) -> None:
        """Starts a workbook, or goes on from `state`; the file is cut where the state says."""
        self._columns = columns
        self._title = title
        self._limit = sheet_rows
        self._archive = Archive(file, state.archive if state else None)
        self.state = state or XlsxState(self._archive.state)
        if state is None:
            self._archive.store("_rels/.rels", xlsx_parts.ROOT_RELATIONS)
            self._archive.store("xl/styles.xml", xlsx_parts.STYLES)
            self._open_sheet()

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Appends a batch (some thousand rows compress best); the state is consistent afterwards."""
        if rows:
            self.write_columns(list(zip(*rows, strict=True)))

    def write_columns(self, columns: Sequence[Sequence[Cell]]) -> None:
        """`write` of a batch given by columns."""
        start, count = 0, len(columns[0])
        while start < count:
            if self.state.sheet_rows >= self._limit:
                self._close_sheet()
                self._open_sheet()
            end = min(count, start + self._limit - self.state.sheet_rows)
            slices = ((at, min(at + _SLICE, end)) for at in range(start, end, _SLICE))
            rendered = (self._render([cells[low:high] for cells in columns], high - low) for low, high in slices)
            self._archive.add("".join(rendered).encode())
            self.state.sheet_rows += end - start
            self.state.rows += end - start
            start = end

    def write_all(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Appends rows from any iterable, a batch at a time."""
        source = iter(rows)
        while batch := list(islice(source, BATCH)):
            self.write(batch)

    def close(self) -> None:
        """Ends the workbook. The file itself stays open."""
        self._close_sheet()
        sheets = self.state.sheet
        self._archive.store("xl/workbook.xml", xlsx_parts.workbook(self._title, sheets))
        self._archive.store("xl/_rels/workbook.xml.rels", xlsx_parts.workbook_relations(sheets))
        self._archive.store("[Content_Types].xml", xlsx_parts.content_types(sheets))
        self._archive.finish()

    def _open_sheet(self) -> None:
        self.state.sheet += 1
        self.state.sheet_rows = 1
        self._archive.open(f"xl/worksheets/sheet{self.state.sheet}.xml")
        header = "".join(_HEADER % text_xml(column.header) for column in self._columns)
        widths = [column.width for column in self._columns]
        self._archive.add(xlsx_parts.sheet_start(widths) + f"<row>{header}</row>".encode())

    def _close_sheet(self) -> None:
        self._archive.add(xlsx_parts.sheet_end(len(self._columns), self.state.sheet_rows))
        self._archive.close_member()

    def _render(self, columns: Sequence[Sequence[Cell]], count: int) -> str:
        """Rows as XML: the constant markup and the columns' values are laid into one list and joined."""
        marks = ["<row>"]
        values: list[Sequence[str]] = []
        for column, cells in zip(self._columns, columns, strict=True):
            before, rendered, after = _RENDER[column.kind](cells)
            marks[-1] += before
            values.append(rendered)
            marks.append(after)
        marks[-1] += "</row>"
        stride = len(marks) + len(values)
        template: list[str] = [""] * stride
        template[::2] = marks
        parts = template * count
        for index, rendered in enumerate(values):
            parts[2 * index + 1 :: stride] = rendered
        return "".join(parts)


_HEADER = '<c s="4" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>'
_TEXT = '<c s="1" t="inlineStr"><is><t>', "</t></is></c>"
_SPACED_TEXT = '<c s="1" t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
_INTEGER = "<c><v>", "</v></c>"
_MONEY = '<c s="2"><v>', "</v></c>"
_DATETIME = '<c s="3"><v>', "</v></c>"
_EMPTY = "<c/>"

Rendered = tuple[str, Sequence[str], str]


def text_xml(text: str) -> str:
    """`text` as it stands inside `<t>`: markup escaped, characters XML cannot hold written as _xHHHH_."""
    if len(text) * 2 > CELL_CHARACTERS:
        text = _cut(text)
    text = _ILLEGAL.sub(lambda found: f"_x{ord(found.group()):04X}_", text)
    return escape(text, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def _cut(text: str) -> str:
    encoded = text.encode("utf-16-le", "surrogatepass")
    if len(encoded) <= 2 * CELL_CHARACTERS:
        return text
    # Cut before the last whole character; "ignore" drops half of a pair.
    return encoded[: 2 * (CELL_CHARACTERS - 1)].decode("utf-16-le", "ignore") + "…"


def _texts(cells: Sequence[Any]) -> Rendered:
    if None in cells:
        cells = ["" if cell is None else cell for cell in cells]
    joined = "|".join(cells)
    spaced = " |" in joined or "| " in joined or joined.startswith(" ") or joined.endswith(" ")
    clean = joined.isprintable() and not ("&" in joined or "<" in joined or ">" in joined or "_x" in joined)
    if not clean or (len(joined) > CELL_CHARACTERS and max(map(len, cells)) * 2 > CELL_CHARACTERS):
        cells = list(map(text_xml, cells))
        spaced = True
    return _wrap(cells, *(_SPACED_TEXT if spaced else _TEXT))


def _wrap(cells: Sequence[str], before: str, after: str) -> Rendered:
    if "" not in cells:
        return before, cells, after
    return "", [f"{before}{cell}{after}" if cell else _EMPTY for cell in cells], ""


def _numbers(mark: tuple[str, str], render: Callable[[Any], str]) -> Callable[[Sequence[Any]], Rendered]:
    def rendered(cells: Sequence[Any]) -> Rendered:
        if set(map(type, cells)) != {str}:
            cells = ["" if cell is None else cell if isinstance(cell, str) else render(cell) for cell in cells]
        return _wrap(cells, *mark)

    return rendered


_RENDER: dict[Kind, Callable[[Sequence[Any]], Rendered]] = {
    Kind.TEXT: _texts,
    Kind.CODE: _texts,
    Kind.INTEGER: _numbers(_INTEGER, str),
    Kind.MONEY: _numbers(_MONEY, yuan),
    Kind.DATETIME: _numbers(_DATETIME, serial),
}
