"""Dates in figures: 2025-03-01, 20250301, 2025.3, 3/1, 8.8号 (§4.3)."""

from __future__ import annotations

import re

from chadan.nlq.patterns import pattern
from chadan.nlq.time_points import Clock, Found, day_in, months_point, pick


def numeric(text: str, index: int, clock: Clock) -> Found | None:
    """2025-03-01, 20250301, 2025.3, 202503, 3/1, 3-1, 8.8号."""
    match = pattern("numeric_full").match(text, index)
    if match:
        groups = match.groupdict()
        year = int(groups["fy"] or groups["fy3"])
        month = groups["fm"] or groups["fm2"] or groups["fm3"]
        day = groups["fd"] or groups["fd2"] or groups["fd3"]
        if month and 1 <= int(month) <= 12:
            if day:
                point = day_in(year, int(month), int(day))
                return (match.end(), point) if point else None
            return match.end(), months_point(year, int(month), 1, "month")
        return None
    match = pattern("numeric_short").match(text, index)
    if not match or pattern("money_after").match(text, match.end()):
        return None
    if pattern("money_before").search(text, 0, index) and pattern("money_before").search(
        text[max(0, index - 8) : index]
    ):
        return None
    if index and text[index - 1] == "-" and clock.after is None:
        return None
    month, number = int(match["sm"]), int(match["sd"])
    end = match.end()
    tail = pattern("day_tail").match(text, end)
    range_ahead = re.compile(r"[-~到至]\d{1,2}[./-]\d{1,2}(?![\d.])").match(text, end)
    in_range = range_ahead or (clock.after is not None and clock.after.kind == "day")
    if match["dot"] and not in_range and not pattern("dot_after").match(text, end):
        return None
    if not (1 <= month <= 12 and 1 <= number <= 31) or (
        match["slash"] == "-"
        and clock.after is None
        and index
        and text[index - 1].isalnum()
        and text[index - 1].isascii()
    ):
        return None
    point = pick(clock, lambda year: filter(None, [day_in(year, month, number)]))
    return (tail.end() if tail else end, point) if point else None
