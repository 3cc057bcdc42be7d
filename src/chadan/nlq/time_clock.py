"""Parts of the day and clock times, alone or behind a day (§4.10)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from chadan.nlq.numbers import small
from chadan.nlq.patterns import data_json, pattern
from chadan.nlq.time_points import DAY, Clock, Found, Point, at

PARTS = ("dawn", "morning", "noon", "afternoon", "dusk", "evening", "night")
HALF_HOUR = timedelta(minutes=30)


def part_point(day: datetime, part: str) -> Point:
    """A part of the day that begins on `day` (its midnight)."""
    first, last = data_json("words.json")["parts"][part]
    return Point(day + timedelta(hours=first), day + timedelta(hours=last), "part", day=day.date(), part=part)


def behind_day(text: str, index: int, point: Point) -> Found:
    """The day narrowed by the part of day and the clock that follow it; the day itself when nothing does."""
    for here in dict.fromkeys((index, _linked(text, index))):
        match = pattern("part").match(text, here)
        if match:
            part = _part(match)
            return _clock(text, match.end(), point.start, part) or _near(
                text, match.end(), part_point(point.start, part)
            )
        found = _clock(text, here, point.start, "")
        if found:
            return found
    return index, point


def bare(text: str, index: int, clock: Clock) -> Found | None:
    """A part of day or a clock without a day: the most recent that has started, or the first in the range it ends."""
    match = pattern("bare_part").match(text, index)
    part = _part(match) if match else ""
    here = match.end() if match else index
    if not match and index and (text[index - 1].isdigit() or text[index - 1] in ".:-"):
        return None
    after = clock.after
    if after is not None:
        return _end_of_range(text, here, part, after)
    midnight = at(clock.today)
    for day in (midnight, midnight - DAY):
        found = _clock(text, here, day, part) or (match and (here, part_point(day, part)))
        if found and found[1].start <= clock.now:
            return found
    return None


def _end_of_range(text: str, index: int, part: str, after: Point) -> Found | None:
    midnight = at(after.day or after.start.date())
    if not part and not after.instant and not after.part:
        return None
    inherited = part or after.part
    found = _clock(text, index, midnight, inherited)
    if not found:
        if not part:
            return None
        point = part_point(midnight, part)
        return index, point if point.start >= after.start else part_point(midnight + DAY, part)
    end, point = found
    if point.start > after.start:
        return end, point
    if not part:
        return _clock(text, index, midnight + DAY, "")
    return _clock(text, index, midnight + DAY, part)


def _linked(text: str, index: int) -> int:
    return index + 1 if pattern("link_character").match(text, index) else index


def _part(match: re.Match[str]) -> str:
    return next(name for name in PARTS if match[name] is not None)


def _clock(text: str, index: int, midnight: datetime, part: str) -> Found | None:
    while index < len(text) and text[index] == " ":
        index += 1
    match = pattern("clock").match(text, index)
    if not match:
        return None
    hour, minute, length = _reading(match)
    if hour is None or hour > 24 or minute > 59:
        return None
    moment = midnight + timedelta(hours=hour_of(hour, part), minutes=minute)
    point = Point(moment, moment + timedelta(minutes=length), "clock", day=midnight.date(), part=part)
    return _near(text, match.end(), point)


def _reading(match: re.Match[str]) -> tuple[int | None, int, int]:
    if match["hh"]:
        return int(match["hh"]), int(match["mm"]), 1
    hour = small(match["h"])
    if match["halfpast"]:
        return hour, 30, 30
    if match["quarter_past"]:
        return hour, 15, 1
    if match["quarter_to"]:
        return hour, 45, 1
    if match["minute"]:
        value = small(match["minute"])
        return hour, 99 if value is None else value, 1
    return hour, 0, 60


def hour_of(hour: int, part: str) -> int:
    """The hour of the day the clock means in a part of day; 24 and more are the next day."""
    if part in ("afternoon", "dusk", "evening") and 1 <= hour <= 11:
        return hour + 12
    if part == "evening" and hour in (0, 12):
        return 24
    if part == "noon" and 1 <= hour <= 3:
        return hour + 12
    if part == "dawn" and hour == 12:
        return 0
    if part == "night":
        return hour + 12 if 7 <= hour <= 11 else 24 if hour in (0, 12) else hour + 24 if hour <= 6 else hour
    return hour


def _near(text: str, index: int, point: Point) -> Found:
    match = pattern("clock_near").match(text, index)
    if match and point.kind == "clock":
        return match.end(), replace(point, start=point.start - HALF_HOUR, end=point.start + HALF_HOUR, kind="near")
    return index, point
