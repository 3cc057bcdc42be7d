"""CSV: quoting, formula guard, protected numbers, going on after a crash; masking."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chadan.exports.csv_file import BOM, FORMULA_STARTS, CsvWriter, code, quoted
from chadan.exports.derived import placed_texts
from chadan.exports.kinds import Kind
from chadan.exports.masking import mask, mask_all
from chadan.orders import number

KINDS = [Kind.CODE, Kind.TEXT, Kind.INTEGER, Kind.MONEY, Kind.DATETIME]
NAMES = ["订单号", "=note", "n", "金额", "时间"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["=1+1", "＝1", '"', ",", "a\r\nb", "\t1"])
ROWS = st.lists(st.tuples(TEXTS, TEXTS | st.none(), st.integers(), st.integers() | st.none(), st.none()), max_size=20)


def written(rows, cuts=()):
    file = io.BytesIO()
    writer = CsvWriter(file, NAMES, KINDS)
    bounds = [0, *sorted({cut for cut in cuts if 0 < cut < len(rows)}), len(rows)]
    for start, end in pairwise(bounds):
        writer.write(rows[start:end])
        file.seek(0, 2)
        file.write(b"half a li")
        writer = CsvWriter(file, NAMES, KINDS, offset=writer.offset)
    return file.getvalue()


REPEATED = st.tuples(ROWS, st.sampled_from([1, 30])).map(lambda drawn: drawn[0] * drawn[1])
"""A column whose texts occur often is judged by its distinct texts."""


@given(REPEATED, st.lists(st.integers(0, 20), max_size=3))
def test_every_value_comes_back_and_none_is_a_formula(rows, cuts):
    data = written(rows, cuts)
    assert data == written(rows)
    assert data.startswith(BOM)
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    assert read[0][1] == "'=note"
    for row, cells in zip(rows, read[1:], strict=True):
        assert cells[0] == (guarded(row[0]) + "\t" if row[0] else "")
        assert cells[1] == guarded(row[1] or "")
        assert not cells[1] or cells[1][0] not in FORMULA_STARTS


def guarded(text):
    return f"'{text}" if text[:1] and text[0] in FORMULA_STARTS else text


def test_lines_end_with_crlf_and_numbers_are_bare():
    moment = datetime(2026, 1, 1, 16, 0, 1, 999_000, tzinfo=UTC)
    data = written([("2601010000000000011", "x", 2, -1205, moment)])
    assert data.decode().split("\r\n")[1] == '"2601010000000000011\t","x",2,-12.05,2026-01-02 00:00:01'
    assert b"\n" not in data.replace(b"\r\n", b"")


@pytest.mark.parametrize("start", list(FORMULA_STARTS))
def test_the_guard_knows_every_dangerous_start(start):
    assert quoted(f"{start}cmd") == f'"\'{start}cmd"'
    assert code(f"{start}1") == f'"\'{start}1\t"'


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("13800138000", "138****8000"),
        ("1234567", "12****67"),
        ("12345", "1****"),
        ("lina@example.com", "li****@example.com"),
        ("ab@qq.com", "a****@qq.com"),
        ("@", "@****"),
        ("", ""),
    ],
)
def test_masking(contact, shown):
    assert mask(contact) == shown


@given(st.lists(st.none() | st.text() | st.from_regex(r"\A1[0-9]{10}\Z") | st.emails()))
def test_masking_a_column_is_masking_each(contacts):
    assert mask_all(contacts) == [contact if contact is None else mask(contact) for contact in contacts]


@given(st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2091, 12, 31)), min_size=1))  # noqa: DTZ001 - local
def test_an_order_number_tells_when_it_was_placed_as_the_database_writes_it(moments):
    local = sorted(moment.replace(microsecond=0, tzinfo=number.SHANGHAI) for moment in moments)
    numbers = [str(number.make(moment, 7, 0)) for moment in local]
    assert placed_texts(numbers) == [f"{moment:%Y-%m-%d %H:%M:%S}+08" for moment in local]


@given(st.text(min_size=1))
def test_masking_never_shows_the_middle(contact):
    name, at, domain = contact.partition("@")
    secret = name if at and domain else contact
    assert len(mask(contact)) - 4 - len(at + domain if at and domain else "") <= max(1, len(secret) * 2 // 3)
