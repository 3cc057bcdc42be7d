"""The calendar the parser ships, and how it is rebuilt."""

from __future__ import annotations

import pytest

from chadan.nlq.calendar_build import build, lunar_festivals, official_windows
from chadan.nlq.patterns import data_json, data_text
from chadan.nlq.syllables_build import build as build_syllables
from chadan.platform.errors import InvalidInput


def test_rebuilding_gives_the_shipped_calendar() -> None:
    assert build(data_text("holidays.txt")) == data_json("calendar.json")


def test_rebuilding_gives_the_shipped_syllables() -> None:
    assert build_syllables() == data_text("syllables.txt")


@pytest.mark.parametrize(
    ("year", "name", "day"),
    [
        ("2023", "春节当天", "2023-01-22"),
        ("2025", "中秋", "2025-10-06"),
        ("2028", "端午", "2028-05-28"),
        ("2033", "中秋", "2033-09-08"),
        ("2049", "除夕", "2049-02-01"),
    ],
)
def test_lunar_days_are_those_of_the_published_calendar(year: str, name: str, day: str) -> None:
    assert lunar_festivals()[year][name] == day


@pytest.mark.parametrize("line", ["2026 春节 2026-02-15", "2026 春节 2026-02-23 2026-02-15", "2026 春节 15.2. 23.2."])
def test_a_wrong_line_of_the_holidays_is_named(line: str) -> None:
    with pytest.raises(InvalidInput, match="Line 2"):
        official_windows(f"# holidays\n{line}\n")
