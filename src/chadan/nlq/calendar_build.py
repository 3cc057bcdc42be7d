"""Rebuilds the calendar: `python -m chadan.nlq.calendar_build HOLIDAYS.txt > calendar.json` (docs/how-to/holidays.md).

The official windows come from the text file. The days of the lunar festivals are computed: the lunar months of 2020–2049
are a table of the published calendar (GB/T 33661-2017), one number a year.
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from chadan.nlq.patterns import data_json, data_text
from chadan.platform.errors import InvalidInput

FIRST_YEAR = 2020
FIRST_NEW_YEAR = date(2020, 1, 25)
LUNAR_YEARS = (
    *(0x07954, 0x06AA0, 0x0AD50, 0x05B52, 0x04B60, 0x0A6E6, 0x0A4E0, 0x0D260, 0x0EA65, 0x0D530),
    *(0x05AA0, 0x076A3, 0x096D0, 0x04AFB, 0x04AD0, 0x0A4D0, 0x1D0B6, 0x0D250, 0x0D520, 0x0DD45),
    *(0x0B5A0, 0x056D0, 0x055B2, 0x049B0, 0x0A577, 0x0A4B0, 0x0AA50, 0x1B255, 0x06D20, 0x0ADA0),
)
"""Of each lunar year: bit 16 a long leap month, bits 15 to 4 the long months from the first on, the rest the leap month."""


def month_lengths(info: int) -> list[tuple[int, int]]:
    """The months of a lunar year in order, as (number, days); the leap month repeats its number."""
    months = []
    for month in range(1, 13):
        months.append((month, 30 if info & (0x10000 >> month) else 29))
        if month == info & 0xF:
            months.append((month, 30 if info & 0x10000 else 29))
    return months


def lunar_day(new_year: date, info: int, month: int, day: int) -> date:
    """The Gregorian day of a lunar month and day; of the month itself, not of its leap month."""
    here = new_year
    for number, days in month_lengths(info):
        if number == month:
            break
        here += timedelta(days=days)
    return here + timedelta(days=day - 1)


def clear_and_bright(year: int) -> date:
    """清明 of a year from 2000 to 2099, by the usual formula of the solar term."""
    short = year % 100
    return date(year, 4, int(short * 0.2422 + 4.81) - short // 4)


def lunar_festivals() -> dict[str, dict[str, str]]:
    """The days of the lunar festivals by year."""
    words = data_json("words.json")["calendar"]
    found: dict[str, dict[str, str]] = {}
    new_year = FIRST_NEW_YEAR
    for year, info in enumerate(LUNAR_YEARS, FIRST_YEAR):
        days = {words["eve"]: new_year - timedelta(days=1)}
        days.update(dict.fromkeys(words["first"], new_year))
        for name, (month, day) in words["lunar"].items():
            days[name] = lunar_day(new_year, info, month, day)
        days[words["solar"]] = clear_and_bright(year)
        found[str(year)] = {name: day.isoformat() for name, day in days.items()}
        new_year += timedelta(days=sum(days for _, days in month_lengths(info)))
    return found


def official_windows(text: str) -> dict[str, dict[str, dict[str, str]]]:
    """The windows of the text file. Raises InvalidInput naming the line that is wrong."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            year, name, first, last = line.split()
            if not date.fromisoformat(first) <= date.fromisoformat(last) or abs(int(year) - int(last[:4])) > 1:
                raise ValueError(line)
        except ValueError as error:
            raise InvalidInput(
                f"Line {number} is no holiday.", hint="A line is: year, holiday, first day, last day (2025-01-28)."
            ) from error
        found.setdefault(year, {})[name] = {"first": first, "last": last}
    return found


def build(holidays: str) -> dict[str, Any]:
    """The calendar file's data from the text of the holidays file."""
    words = data_json("words.json")["calendar"]
    return {
        "official_holiday_windows": official_windows(holidays),
        "festival_day_lunar": lunar_festivals(),
        "festival_day_fixed": words["fixed"],
        "promo_windows": words["campaigns"],
        "note": words["note"],
    }


def main(argv: list[str]) -> int:
    """Prints the calendar built from the file named, or from the shipped one."""
    text = Path(argv[0]).read_text(encoding="utf-8") if argv else data_text("holidays.txt")
    print(json.dumps(build(text), ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
