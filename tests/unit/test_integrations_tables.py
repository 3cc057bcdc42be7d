"""Files people send: encodings, damage, missing columns, spreadsheets; bad rows are told apart, good ones are kept."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.acg_shop import APOLOGY, order, write_shop

from chadan.integrations.acg_faka import AcgFaka
from chadan.integrations.contract import ParsedOrder, Rejection
from chadan.integrations.reading import Unreadable, moment, money, whole
from chadan.integrations.registry import importer_named
from chadan.integrations.tables import MAX_FIELD, detect_encoding, require_columns, rows
from chadan.orders.states import OrderStatus
from chadan.platform.errors import InvalidInput

NOW = 1_800_000_000
BOMB = (
    '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
)


def read(folder: Path) -> list[ParsedOrder | Rejection]:
    AcgFaka().check(folder)
    return list(AcgFaka().read(folder, NOW))


def table(folder: Path, content: bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_every_usual_encoding_reads_the_same(tmp_path: Path, encoding: str):
    expected = read(write_shop(tmp_path / "plain", orders=20))
    assert read(write_shop(tmp_path / encoding, orders=20, encoding=encoding)) == expected
    titles = {item.product.title for item in expected if isinstance(item, ParsedOrder)}
    assert "腾讯视频会员 1" in titles


def test_utf16_and_binaries_get_a_sentence(tmp_path: Path):
    with pytest.raises(InvalidInput, match="UTF-16"):
        detect_encoding(table(tmp_path, "编号,名称\n".encode("utf-16")))
    with pytest.raises(InvalidInput, match="NUL bytes"):
        detect_encoding(table(tmp_path, bytes(1000)))


def test_broken_rows_do_not_cost_good_ones(tmp_path: Path):
    content = "id,name\n1,好\n2,x\x00y\n".encode() + b"3,\xff\xfe\n" + '4,"好\n5,好\n6,好,多\n7,好\n'.encode()
    found = {row.fields.get("id"): row.problem for row in rows(table(tmp_path, content))}
    assert found["1"] == found["5"] == found["7"] == ""
    assert "NUL" in found["2"]
    assert "damaged" in found["3"]
    assert "3 fields instead of 2" in found["6"]


def test_an_oversize_field_costs_its_row_only(tmp_path: Path):
    content = f"id,name\n1,{'x' * (MAX_FIELD + 1)}\n2,fine\n".encode()
    found = list(rows(table(tmp_path, content)))
    assert [row.fields.get("id") for row in found if not row.problem] == ["2"]
    assert "longer than" in found[0].problem


def test_lines_are_counted_across_multiline_fields(tmp_path: Path):
    content = b'id,name\n1,"a\nb"\n2,c\n'
    assert [(row.line, row.fields["id"]) for row in rows(table(tmp_path, content))] == [(2, "1"), (4, "2")]


def test_missing_columns_and_empty_files_are_named(tmp_path: Path):
    with pytest.raises(InvalidInput, match="lacks the columns name, price"):
        require_columns(table(tmp_path, b"id\n1\n"), ("id", "name", "price"))
    with pytest.raises(InvalidInput, match="is empty"):
        require_columns(table(tmp_path, b""), ("id",))


def test_missing_tables_are_named(tmp_path: Path):
    folder = write_shop(tmp_path / "shop", orders=1)
    (folder / "pay.csv").unlink()
    with pytest.raises(InvalidInput, match=r"lacks pay\.csv"):
        AcgFaka().check(folder)
    with pytest.raises(InvalidInput, match="is not a folder"):
        AcgFaka().check(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match="acg-faka"):
        importer_named("other")


def as_spreadsheet(folder: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    lines = list(rows(folder / "order.csv"))
    sheet.append(list(lines[0].fields))
    for row in lines:
        sheet.append(list(row.fields.values()))
    book.save(folder / "order.xlsx")
    (folder / "order.csv").unlink()


def test_a_spreadsheet_reads_as_the_csv_does(tmp_path: Path):
    folder = write_shop(tmp_path / "shop", orders=12, change={0: {}})
    expected = read(folder)
    as_spreadsheet(folder)
    assert read(folder) == expected


def test_a_number_that_lost_digits_is_told(tmp_path: Path):
    folder = write_shop(tmp_path / "shop", orders=3, change={0: {}})
    as_spreadsheet(folder)
    book = openpyxl.load_workbook(folder / "order.xlsx")
    book.active["D3"] = 310241123050742874
    book.save(folder / "order.xlsx")
    good, bad, also_good = read(folder)
    assert isinstance(good, ParsedOrder)
    assert isinstance(also_good, ParsedOrder)
    assert isinstance(bad, Rejection)
    assert "lost its last digits" in bad.reason


def test_a_bomb_ends_in_a_sentence(tmp_path: Path):
    folder = write_shop(tmp_path / "shop", orders=3, change={0: {}})
    as_spreadsheet(folder)
    path = folder / "order.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = BOMB.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(InvalidInput, match="may be made to do harm"):
        AcgFaka().check(folder)


def test_what_is_no_spreadsheet_gets_a_sentence(tmp_path: Path):
    folder = write_shop(tmp_path / "shop", orders=1)
    (folder / "order.csv").rename(folder / "order.xlsx")
    with pytest.raises(InvalidInput, match="not a readable spreadsheet"):
        AcgFaka().check(folder)


def test_states_follow_the_table(tmp_path: Path):
    young = {"status": "0", "delivery_status": "0", "pay_time": "", "create_time": "2027-01-15 15:50:00"}
    folder = write_shop(tmp_path / "shop", orders=6, change={5: young})
    found = [item.status for item in read(folder) if isinstance(item, ParsedOrder)]
    assert order(3)["secret"] == APOLOGY
    assert found == [
        OrderStatus.COMPLETED,
        OrderStatus.CANCELLED,
        OrderStatus.CANCELLED,
        OrderStatus.FAILED,
        OrderStatus.PAID,
        OrderStatus.PENDING_PAYMENT,
    ]


def test_an_apology_is_no_card_and_a_card_with_an_apology_is_one(tmp_path: Path):
    kind = "ABCD1234EFGH 如有问题抱歉请联系客服"
    folder = write_shop(tmp_path / "shop", orders=4, change={0: {"secret": kind}})
    found = [item for item in read(folder) if isinstance(item, ParsedOrder)]
    assert found[0].cards == (kind,)
    assert found[3].cards == ()
    assert found[3].failure == APOLOGY


@given(st.integers(0, 10**13 - 1))
def test_money_reads_what_it_writes(fen: int):
    assert money(f"{fen // 100}.{fen % 100:02d}", "amount") == fen


@pytest.mark.parametrize("text", ["-1", "1.234", "1,00", "NaN", "1e5", "１.5x", "999999999999999", "."])
def test_money_refuses(text: str):
    with pytest.raises(Unreadable, match="is not an amount"):
        money(text, "amount")


@pytest.mark.parametrize("text", ["-1", "1.0", "", "1e3", "10000000000"])
def test_whole_refuses(text: str):
    with pytest.raises(Unreadable, match="is not a whole number"):
        whole(text, "quantity")


@pytest.mark.parametrize("text", ["2025-02-30 10:00:00", "yesterday", "1999-12-31 23:59:59", "2090-01-01 00:00:00"])
def test_moment_refuses(text: str):
    with pytest.raises(Unreadable):
        moment(text, "order time", NOW)


def test_moment_knows_nothing_from_zero():
    assert moment("", "t", NOW) is None
    assert moment("0000-00-00 00:00:00", "t", NOW) is None
    assert moment("1970-01-01 08:00:01".replace("1970", "2000"), "t", NOW) == 946_684_801
