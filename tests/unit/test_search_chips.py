"""Chips say each filter in words and know the query without it."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from tests.support.queries import queries

from chadan.orders import number
from chadan.search.chips import chips, describe
from chadan.search.order_query import OrderQuery
from chadan.search.url import from_url

NOW = datetime(2026, 3, 31, 22, 40, tzinfo=number.SHANGHAI)


def shown(url: str) -> list[tuple[str, str]]:
    found = chips(from_url(url, now=NOW).query, now=NOW)
    return [(chip.label, chip.text) for chip in found]


@given(queries())
def test_removing_every_chip_leaves_nothing(query: OrderQuery) -> None:
    count = len(query.to_dict()) - bool(query.exclude) + (len(query.to_dict().get("exclude", {})))
    found = chips(query, now=NOW)
    assert len(found) == count
    for chip in found:
        assert chip.label
        assert chip.text
        assert len(chips(chip.without, now=NOW)) == count - 1
    while found:
        query = found[0].without
        found = chips(query, now=NOW)
    assert query == OrderQuery()


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("date=30d", "last 30 days"),
        ("date=today", "today"),
        ("date=yesterday", "yesterday"),
        ("date=month", "this month"),
        ("from=2026-01-01&to=2026-01-31", "2026-01-01 – 2026-01-31"),
        ("from=2026-01-01&to=2026-01-01", "2026-01-01"),
        ("from=2026-01-01T10:30", "from 2026-01-01 10:30"),
        ("to=2026-01-01T10:30:05", "before 2026-01-01 10:30:05"),
        ("amount_min=50", "≥ ¥50.00"),
        ("amount_max=50", "≤ ¥50.00"),
        ("amount_min=50&amount_max=100", "¥50.00 – ¥100.00"),
        ("quantity_min=3&quantity_max=3", "3"),
        ("status=paid,processing", "Paid or Processing"),
        ("exclude.tag=测试", "not 测试"),
        ("account.prefix=138&account.suffix=8000", "starts with 138 and ends with 8000"),
        ("sort=-amount", "highest amount first"),
        ("buyer=a&buyer=b&buyer=c&buyer=d&buyer=e&buyer=f&buyer=g", "a, b, c, d, e and 2 more"),
    ],
)
def test_words(url: str, text: str) -> None:
    assert [chip_text for _, chip_text in shown(url)] == [text]


def test_a_whole_filter_in_one_line() -> None:
    query = from_url("date=7d&status=paid&exclude.tag=x", now=NOW).query
    assert describe(query, now=NOW) == "Placed: last 7 days · Status: Paid · Tag: not x"
