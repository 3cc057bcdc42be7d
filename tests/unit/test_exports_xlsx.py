"""A workbook gives back exactly what was written, wherever the writing was interrupted."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook

from chadan.exports import archive
from chadan.exports.kinds import Kind, serial, yuan
from chadan.exports.xlsx import CELL_CHARACTERS, SheetColumn, XlsxState, XlsxWriter, text_xml
from chadan.exports.xlsx_parts import column_letters, sheet_title
from chadan.orders.number import SHANGHAI

COLUMNS = [
    SheetColumn("订单号", Kind.CODE, 22),
    SheetColumn("n & <m>", Kind.INTEGER),
    SheetColumn("金额", Kind.MONEY),
    SheetColumn("时间", Kind.DATETIME),
    SheetColumn("备注", Kind.TEXT),
]
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=40)
HOSTILE = st.sampled_from(
    ["=1+1", "@cmd", " a ", "a\r\nb", "\t", "_x000D_", "<&>", "]]>", "\x00", "😀", "|", " |", "\u3000"]
)
MOMENTS = st.integers(0, 91 * 365 * 86_400_000).map(
    lambda milliseconds: datetime(2000, 1, 1, tzinfo=SHANGHAI) + timedelta(milliseconds=milliseconds)
)
MONEY = st.integers(-(10**12), 10**12)
ROWS = st.lists(
    st.tuples(
        TEXTS | HOSTILE | st.none(),
        st.integers(-(2**53), 2**53) | st.none(),
        MONEY | st.none(),
        MOMENTS | st.none(),
        HOSTILE | TEXTS,
    ),
    max_size=30,
)


def workbook(rows, cuts=(), sheet_rows=1_048_576):
    """The bytes of a workbook written in batches; at each cut the writer crashes after writing some rubbish."""
    file = io.BytesIO()
    writer = XlsxWriter(file, COLUMNS, "订单", sheet_rows=sheet_rows)
    bounds = [0, *sorted({cut for cut in cuts if 0 < cut < len(rows)}), len(rows)]
    for start, end in pairwise(bounds):
        writer.write(rows[start:end])
        state = json.loads(json.dumps(writer.state.to_json()))
        file.seek(0, 2)
        file.write(b"rubbish of a batch cut short")
        writer = XlsxWriter(file, COLUMNS, "订单", state=XlsxState.from_json(state), sheet_rows=sheet_rows)
    writer.close()
    return file.getvalue()


def by_openpyxl(data):
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [[[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets]


def by_calamine(data):
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return [book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names]


def plain(cell):
    """Calamine's value as openpyxl would give it: it reads an empty cell as "" and midnight as a date."""
    if type(cell) is date:
        return datetime.combine(cell, time())
    return None if cell == "" else cell


def expected(row):
    code, count, fen, moment, text = row
    money = None if fen is None else fen / 100
    return [code or None, count, money, moment and moment.replace(tzinfo=None), text or None]


def filled(rows):
    """The rows up to the last one that holds anything: calamine gives no empty ones behind it."""
    last = max((place for place, row in enumerate(rows, 1) if any(cell is not None for cell in row)), default=0)
    return rows[:last]


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(st.integers(0, 30), max_size=3))
@example([(None, None, None, None, " a "), (None, None, None, None, "")], [])
@example([("2601010000000000011", 1, 1, datetime(2026, 1, 1, 0, 0, 0, 1000, tzinfo=SHANGHAI), "=1+1")], [])
def test_readers_give_back_the_same_values(rows, cuts):
    data = workbook(rows, cuts)
    header = [column.header for column in COLUMNS]
    [sheet] = by_openpyxl(data)
    assert sheet[0] == header
    read = [[unescape(cell) if isinstance(cell, str) else cell for cell in row] for row in sheet[1:]]
    assert read == [expected(row) for row in rows]
    [sheet] = by_calamine(data)
    assert filled([[plain(cell) for cell in row] for row in sheet[1:]]) == filled([expected(row) for row in rows])


@settings(max_examples=30, deadline=None)
@given(ROWS, st.lists(st.integers(0, 30), max_size=3))
def test_a_crash_changes_no_byte(rows, cuts):
    file = io.BytesIO()
    writer = XlsxWriter(file, COLUMNS, "订单")
    bounds = [0, *sorted({cut for cut in cuts if 0 < cut < len(rows)}), len(rows)]
    for start, end in pairwise(bounds):
        writer.write(rows[start:end])
    writer.close()
    assert workbook(rows, cuts) == file.getvalue()


@settings(max_examples=30, deadline=None)
@given(ROWS, st.integers(2, 9), st.lists(st.integers(0, 30), max_size=3))
def test_a_full_sheet_is_followed_by_another_with_its_header(rows, sheet_rows, cuts):
    sheets = by_calamine(workbook(rows, cuts, sheet_rows))
    header = [column.header for column in COLUMNS]
    assert all(sheet[0] == header and len(sheet) <= sheet_rows for sheet in sheets)
    # Calamine leaves out empty rows at a sheet's end.
    filled = [row for sheet in sheets for row in sheet[1:] if any(cell != "" for cell in row)]
    assert filled == [row for row in by_calamine(workbook(rows))[0][1:] if any(cell != "" for cell in row)]


def test_no_cell_is_a_formula_and_numbers_are_numbers():
    data = workbook([("=HYPERLINK(1)", 7, 1234, None, "+1"), ("0012", None, -5, None, "-1")])
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    assert sheet["A2"].data_type != "f" and sheet["A2"].number_format == "@"
    assert sheet["C2"].value == 12.34 and sheet["C2"].number_format == "#,##0.00"
    assert sheet["A3"].value == "0012"
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == "A1:E3"


def test_a_text_longer_than_a_cell_is_cut_on_a_whole_character():
    data = workbook([("x", 1, 1, None, "😀" * 20_000), ("y", 1, 1, None, "a" * 40_000)])
    [sheet] = by_calamine(data)
    assert sheet[1][4] == "😀" * 16_383 + "…"
    assert sheet[2][4] == "a" * (CELL_CHARACTERS - 1) + "…"


def test_numbers_may_arrive_rendered():
    moment = datetime(2026, 5, 6, 7, 8, 9, 10_000, tzinfo=SHANGHAI)
    row = ("1", 3, 1050, moment, "a")
    assert by_calamine(workbook([("1", "3", "10.50", serial(moment), "a")])) == by_calamine(workbook([row]))


@given(st.integers(-(10**15), 10**15))
def test_yuan_is_exact(fen):
    assert round(float(yuan(fen)) * 100) == fen
    assert re.fullmatch(r"-?\d+\.\d\d", yuan(fen))


@given(MOMENTS)
def test_serial_keeps_the_millisecond(moment):
    back = datetime(1899, 12, 30, tzinfo=SHANGHAI) + timedelta(days=float(serial(moment)))
    assert abs(back - moment) < timedelta(milliseconds=0.5)


def test_text_xml_escapes_what_xml_cannot_hold():
    assert text_xml("a\x0bb\ud800<") == "a_x000B_b_xD800_&lt;"
    assert text_xml("_x000B_ _x") == "_x005F_x000B_ _x"


@pytest.mark.parametrize(("number", "letters"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA")])
def test_column_letters(number, letters):
    assert column_letters(number) == letters


def test_sheet_titles_are_names_excel_accepts():
    assert sheet_title("a[b]:c*d?e/f\\g", 1) == "a b  c d e f g"
    assert sheet_title("", 2) == "Sheet 2"
    assert len(sheet_title("订" * 99, 9999)) <= 31


def test_archives_past_four_gib_use_zip64(monkeypatch):
    monkeypatch.setattr(archive, "_LARGE", 100)
    file = io.BytesIO()
    made = archive.Archive(file)
    made.store("small", b"a" * 10)
    made.store("large", bytes(range(256)))
    made.finish()
    with zipfile.ZipFile(file) as read:
        assert read.testzip() is None
        assert read.read("small") == b"a" * 10
        assert read.read("large") == bytes(range(256))
