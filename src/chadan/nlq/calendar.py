"""The calendar: official holiday windows, days of the lunar festivals, fixed days, campaign windows (data, §4.11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chadan.nlq.patterns import data_json

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Days and windows by year and festival; windows are first and last day."""

    windows: Mapping[int, Mapping[str, tuple[date, date]]]
    days: Mapping[int, Mapping[str, date]]
    fixed: Mapping[str, tuple[int, int]]
    campaigns: Mapping[str, tuple[tuple[int, int], tuple[int, int]]]

    @classmethod
    def shipped(cls) -> Calendar:
        """The calendar that comes with the program."""
        return cls.from_data(data_json("calendar.json"))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Calendar:
        """A calendar from the data file's form (docs/how-to/holidays.md)."""
        return cls(
            windows={
                int(year): {name: (_day(span["first"]), _day(span["last"])) for name, span in spans.items()}
                for year, spans in data["official_holiday_windows"].items()
            },
            days={
                int(year): {name: _day(text) for name, text in days.items()}
                for year, days in data["festival_day_lunar"].items()
            },
            fixed={name: _month_day(text) for name, text in data["festival_day_fixed"].items()},
            campaigns={
                name: (_month_day(first), _month_day(last)) for name, (first, last) in data["promo_windows"].items()
            },
        )

    def day(self, name: str, year: int) -> date | None:
        """The day of a festival in a year; None when the table does not have it."""
        if name in self.fixed:
            month, day = self.fixed[name]
            return date(year, month, day)
        return self.days.get(year, {}).get(name)

    def window(self, name: str, year: int) -> tuple[date, date] | None:
        """The official holiday, first and last day, of a year; None without an official table."""
        return self.windows.get(year, {}).get(name)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _month_day(text: str) -> tuple[int, int]:
    month, _, day = text.partition("-")
    return int(month), int(day)
