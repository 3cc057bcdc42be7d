"""Durations and the windows they make: rolling (近7天), the units before this one (前三天), ago (三个月前) (§4.4–4.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from chadan.nlq.numbers import small
from chadan.nlq.patterns import pattern
from chadan.nlq.time_points import DAY, Clock, Found, Point, at, day_point, monday, months_point, shift

MAX_COUNT = 9999
Bounds = tuple[datetime | None, datetime | None]


@dataclass(frozen=True)
class Duration:
    """A count of minutes, hours, days, weeks, months or years (a quarter is three months)."""

    count: int
    unit: str
    vague: bool = False
    quarters: int = 0


def duration(match: re.Match[str]) -> Duration | None:
    """The duration a match of the fragment `duration` names."""
    groups = match.groupdict()
    if groups["half"]:
        return _half(groups["halfunit"] or "")
    if groups["few_months"]:
        return Duration(small(groups["few_months"]) or 2, "month")
    if groups["quarters_hour"]:
        return Duration(15 * (small(groups["quarters_hour"]) or 1), "minute")
    unit = next(name for name in ("hour", "minute", "day", "week", "month", "quarter", "year") if groups[name])
    text = groups["num"] or ""
    half = pattern("half_word").search(groups[unit] or "")
    if pattern("half_word").fullmatch(text):
        return _half(groups[unit] or "")
    vague = bool(pattern("few").search(text))
    either = pattern("either_of_two").fullmatch(text)
    count = (7 if unit == "day" else 3) if vague else small(either["more"] if either else text)
    if count is None or not 0 < count <= MAX_COUNT:
        return None
    if half and unit == "hour":
        return Duration(count * 60 + 30, "minute")
    if half and unit == "year":
        return Duration(count * 12 + 6, "month")
    if half and unit == "month":
        return Duration(count * 30 + 15, "day")
    if unit == "quarter":
        return Duration(count * 3, "month", vague, quarters=count)
    return Duration(count, unit, vague)


def _half(unit: str) -> Duration:
    if pattern("unit_month").fullmatch(unit) or pattern("half_month").fullmatch(unit):
        return Duration(15, "day")
    if pattern("unit_year").fullmatch(unit):
        return Duration(6, "month")
    if pattern("unit_day").fullmatch(unit):
        return Duration(12, "hour")
    if pattern("unit_week").fullmatch(unit):
        return Duration(4, "day")
    return Duration(30, "minute")


def back(moment: datetime, length: Duration) -> datetime | None:
    """`moment` minus the duration exactly, a day being 24 hours."""
    try:
        if length.unit in ("month", "year"):
            months = length.count * (12 if length.unit == "year" else 1)
            return datetime.combine(shift(moment.date(), -months), moment.time())
        return moment - _exact(length)
    except (ValueError, OverflowError):
        return None


def _exact(length: Duration) -> timedelta:
    name = {"minute": "minutes", "hour": "hours", "day": "days", "week": "weeks"}[length.unit]
    return timedelta(**{name: length.count})


def window(clock: Clock, length: Duration) -> Bounds | None:
    """The rolling window that ends today, or now when it is counted in hours (§4.4)."""
    if length.unit in ("minute", "hour"):
        return back(clock.now, length), clock.now
    end = at(clock.today + DAY)
    start = back(end, length)
    return (start, end) if start else None


def rolling(text: str, index: int, clock: Clock) -> tuple[int, Bounds] | None:
    """最近7天, 这两天, 前三天, 7天内, 20天来, 近日, 刚才 and a bare duration before 订单."""
    just = pattern("just_now").match(text, index)
    if just:
        return just.end(), (clock.now - timedelta(hours=1), clock.now)
    days = pattern("in_days").match(text, index)
    if days:
        return days.end(), window(clock, Duration(7, "day")) or (None, None)
    lead = pattern("rolling_lead").match(text, index)
    match = pattern("rolling_length").match(text, lead.end() if lead else index)
    length = duration(match) if match else None
    if not match or length is None:
        return None
    end = match.end()
    if not lead and index and (text[index - 1].isdigit() or text[index - 1] in "第."):
        return None
    if not lead and pattern("not_duration").search(text, max(0, index - 3), index):
        return None
    if lead and lead["before_lead"]:
        bounds = _units_before(clock, length)
    elif lead and lead["this"] and length.count < 2:
        return None
    elif lead:
        bounds = window(clock, length)
    else:
        inside = pattern("inside").match(text, end)
        if not inside and (not pattern("order_noun").match(text, end) or pattern("member_ahead").match(text, end)):
            return None
        bounds = window(clock, length)
    inside = pattern("inside").match(text, end)
    return (inside.end() if inside else end, bounds) if bounds else None


def _units_before(clock: Clock, length: Duration) -> Bounds | None:
    """The N whole units before the current one (§4.5)."""
    today = clock.today
    try:
        if length.unit == "day":
            return at(today - timedelta(days=length.count)), at(today)
        if length.unit == "week":
            first = monday(today)
            return at(first - timedelta(weeks=length.count)), at(first)
        if length.quarters:
            first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
            return at(shift(first, -length.count)), at(first)
        if length.unit == "month":
            first = today.replace(day=1)
            return at(shift(first, -length.count)), at(first)
        if length.unit == "year":
            first = today.replace(month=1, day=1)
            return at(shift(first, -12 * length.count)), at(first)
        hour = clock.now.replace(minute=0, second=0)
        return hour - _exact(length), hour
    except (ValueError, OverflowError):
        return None


def units_ago(text: str, index: int, clock: Clock) -> Found | None:
    """三个月前 is the month three back; with 以前 or 之前 it is a bound, which the empty point at its end stands for."""
    if index and (text[index - 1].isdigit() or text[index - 1] in "第."):
        return None
    match = pattern("ago").match(text, index)
    length = duration(match) if match else None
    if not match or length is None:
        return None
    try:
        if match["bound"]:
            moment = back(at(clock.today) if length.unit not in ("minute", "hour") else clock.now, length)
            return (match.start("bound"), Point(moment, moment, "bound")) if moment else None
        point = _period_ago(clock, length)
    except (ValueError, OverflowError):
        return None
    return match.end(), point


def _period_ago(clock: Clock, length: Duration) -> Point:
    today = clock.today
    if length.unit == "day":
        return day_point(today - timedelta(days=length.count))
    if length.unit == "week":
        first = monday(today - timedelta(weeks=length.count))
        return Point(at(first), at(first + 7 * DAY), "week", literal=True)
    if length.quarters:
        first = shift(today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), -length.count)
        return months_point(first.year, first.month, 3, "quarter")
    if length.unit == "month":
        first = shift(today.replace(day=1), -length.count)
        return months_point(first.year, first.month, 1, "month")
    if length.unit == "year":
        return months_point(today.year - length.count, 1, 12, "year")
    start = (clock.now - _exact(length)).replace(second=0)
    if length.unit == "hour":
        start = start.replace(minute=0)
        return Point(start, start + timedelta(hours=1), "part", literal=True)
    return Point(start, start + timedelta(minutes=1), "part", literal=True)
