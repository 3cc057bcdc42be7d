"""When people buy more: promotions, the Spring Festival and other holidays, hours of the day.

The Spring Festival moves with the lunar calendar, so its day is listed; promotions keep their date.
"""

from __future__ import annotations

from datetime import date, timedelta

NEW_YEAR_DAYS = {  # 正月初一
    2022: date(2022, 2, 1),
    2023: date(2023, 1, 22),
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
}
_WEEKDAYS = (0.93, 0.91, 0.93, 0.96, 1.08, 1.17, 1.12)
_FIXED_PEAKS = {
    (1, 1): 1.35,
    (2, 14): 1.3,
    (5, 1): 1.2,
    (5, 20): 1.35,
    (6, 1): 1.3,
    (6, 18): 2.4,
    (10, 1): 1.4,
    (11, 11): 3.6,
    (12, 12): 1.9,
    (12, 24): 1.2,
    (12, 25): 1.25,
}
HOURS = (
    *(2.6, 1.5, 0.9, 0.55, 0.45, 0.5, 0.9, 1.7, 2.6, 3.4, 4.1, 4.4),
    *(4.9, 4.5, 4.1, 4.2, 4.4, 4.7, 5.3, 6.4, 8.4, 9.2, 8.9, 5.6),
)
"""Relative orders an hour, local time: a noon bump, a peak from 20 to 23."""


def day_weight(day: date) -> float:
    """How many orders `day` has relative to an ordinary day."""
    return _WEEKDAYS[day.weekday()] * _FIXED_PEAKS.get((day.month, day.day), 1.0) * _season(day) * _new_year(day)


def _season(day: date) -> float:
    """The weeks around the two shopping festivals, and the school holidays."""
    if date(day.year, 11, 1) <= day <= date(day.year, 11, 12):
        return 1.35
    if date(day.year, 6, 1) <= day <= date(day.year, 6, 18):
        return 1.15
    return 1.12 if day.month in (7, 8) else 1.0


def _new_year(day: date) -> float:
    """Gifts and top-ups before New Year's Eve and on the first days; fewer orders while everybody travels."""
    first = NEW_YEAR_DAYS.get(day.year)
    if first is None:
        return 1.0
    distance = (day - first).days
    if -2 <= distance <= 1:
        return 2.1
    if -10 <= distance < -2:
        return 1.4
    return 0.8 if 1 < distance <= 7 else 1.0


def quotas(first: date, days: int, last_share: float, total: int, last_least: int = 0) -> list[int]:
    """How many of `total` orders fall on each of `days` days from `first`; the last day is cut to `last_share` of itself.

    The shop doubles over the period. `last_least` orders are kept for the last day.
    """
    weights = []
    for number in range(days):
        growth = 1.0 + number / max(days - 1, 1)
        weights.append(day_weight(first + timedelta(days=number)) * growth)
    weights[-1] *= last_share
    spread, whole = total - last_least, sum(weights)
    counts: list[int] = []
    carried = given = 0.0
    for weight in weights:
        carried += spread * weight / whole
        counts.append(int(carried) - int(given))
        given = carried
    counts[-1] += total - sum(counts)
    return counts
