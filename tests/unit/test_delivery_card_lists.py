"""Card lists as people send them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chadan.delivery.card_lists import LONGEST, from_file, from_text
from chadan.platform.errors import InvalidInput


def cards(path: Path) -> list[str]:
    return [line.card for line in from_file(path)]


@given(
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=0x9FFF, exclude_categories=["C", "Z"]), min_size=1))
)
def test_every_line_of_a_text_is_a_card(texts: list[str]) -> None:
    found = list(from_text("\r\n".join(f"  {text}\t" for text in texts)))
    assert [line.card for line in found] == texts
    assert [line.problem for line in found] == [
        "longer than 2,000 characters" if len(text) > LONGEST else "" for text in texts
    ]


def test_lines_keep_their_place_and_say_what_is_wrong() -> None:
    found = list(from_text(f"\ufeffONE\n\n{'x' * (LONGEST + 1)}\nTWO\x00\n"))
    assert [(line.line, line.problem) for line in found] == [
        (1, ""),
        (3, "longer than 2,000 characters"),
        (4, "its characters are damaged"),
    ]
    assert found[0].card == "ONE"


def test_a_table_with_a_heading_gives_its_secret_column(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("备注,卡号,密码\nx,1001,aaa\ny,,bbb\nz,1003,\n", encoding="gb18030")
    assert cards(path) == ["卡号：1001 卡密：aaa", "bbb"]


def test_a_table_without_a_heading_gives_every_row(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("1001,aaa\n1002,bbb\n")
    assert cards(path) == ["1001 aaa", "1002 bbb"]


def test_a_text_file_in_gbk_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes("卡一\r\n卡二\r\n".encode("gbk"))
    assert cards(path) == ["卡一", "卡二"]


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        from_file(tmp_path / "cards.pdf")
