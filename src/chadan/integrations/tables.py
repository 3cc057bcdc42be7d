"""Tables out of files people send: CSV in whatever encoding, or a spreadsheet. Bad rows are told apart, not fatal."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chadan.integrations.spreadsheet import spreadsheet_rows
from chadan.platform.errors import InvalidInput

MAX_FIELD = 128 * 1024
"""Characters; the longest field of a row that is read. A card list of a hundred lines is far below."""
_SAMPLE = 1 << 20
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Row:
    """One data row: its line in the file, and its fields by column, or why it cannot be read."""

    line: int
    fields: dict[str, str]
    problem: str = ""


def find_table(folder: Path, name: str) -> Path | None:
    """`name`.csv or `name`.xlsx in the folder."""
    for suffix in (".csv", ".xlsx"):
        path = folder / f"{name}{suffix}"
        if path.is_file():
            return path
    return None


def require_columns(path: Path, wanted: Sequence[str]) -> None:
    """Raises InvalidInput when the file has no header or lacks columns, naming them."""
    header = next(records(path), (1, [], ""))[1]
    missing = [column for column in wanted if column not in header]
    if not header:
        raise InvalidInput(f"{path.name} is empty.")
    if missing:
        raise InvalidInput(
            f"{path.name} lacks the columns {', '.join(missing)}.",
            hint="Export the whole table, with its column names in the first row.",
        )


def rows(path: Path) -> Iterator[Row]:
    """The rows under the header. Raises InvalidInput when the file as a whole cannot be read."""
    lines = records(path)
    header = next(lines, (1, [], ""))[1]
    for line, values, problem in lines:
        if values or problem:
            yield Row(line, dict(zip(header, values, strict=False)), problem)


def records(path: Path) -> Iterator[tuple[int, list[str], str]]:
    """(line, values, problem) of every record, header first."""
    return spreadsheet_rows(path) if path.suffix.lower() == ".xlsx" else _csv_records(path)


class _Feed:
    """A file's lines, some of which can be read again: a stray quote must not swallow the good lines after it."""

    def __init__(self, file: Iterator[str]) -> None:
        self.file = file
        self.again: list[str] = []
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.again.pop() if self.again else next(self.file)
        self.taken.append(line)
        return line

    def keep_first(self) -> int:
        """Gives all lines of the present record back but its first; returns how many are used up."""
        self.again += reversed(self.taken[1:])
        return min(len(self.taken), 1)


def _csv_records(path: Path) -> Iterator[tuple[int, list[str], str]]:
    csv.field_size_limit(MAX_FIELD)
    with path.open(encoding=detect_encoding(path), errors="surrogateescape", newline="") as file:
        feed, line, width = _Feed(file), 1, 0
        reader = csv.reader(feed, strict=True)
        while True:
            feed.taken.clear()
            values, problem = [], ""
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                long = "field larger" in str(error)
                problem = f"a field is longer than {MAX_FIELD} characters" if long else f"it is not CSV: {error}"
            width = width or len(values)
            if values and len(values) != width:
                problem = f"it has {len(values)} fields instead of {width}"
            used = len(feed.taken)
            if problem and used > 1:
                used = feed.keep_first()
                reader = csv.reader(feed, strict=True)
            yield line, [value.strip() for value in values], problem or _damage(values)
            line += used


def _damage(values: list[str]) -> str:
    text = "".join(values)
    if "\0" in text:
        return "it contains NUL bytes"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "its characters are damaged: they are not valid in the file's encoding"
    return ""


def detect_encoding(path: Path) -> str:
    """`utf-8-sig` or `gb18030` (which reads GBK and GB2312). Raises InvalidInput for UTF-16 and for what is no text.

    A file with a few broken lines among good UTF-8 is UTF-8; only one whose every non-ASCII line is no UTF-8 is GB18030.
    """
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
        if start.startswith(_UTF16):
            raise InvalidInput(f"{path.name} is in UTF-16.", hint="Save it again as CSV in UTF-8.")
        if start.count(b"\0") > len(start) // 50:
            raise InvalidInput(f"{path.name} is not a text file: it is full of NUL bytes.")
        file.seek(0)
        good = bad = 0
        for line in file:
            if not line.isascii():
                try:
                    line.decode()
                    good += 1
                except UnicodeDecodeError:
                    bad += 1
    return "gb18030" if bad and not good else "utf-8-sig"
