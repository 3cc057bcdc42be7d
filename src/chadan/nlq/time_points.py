"""One point of time in the text: a day, a week, a month …, with or without part of day and clock (§4.1–4.3, 4.10)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from chadan.nlq.calendar import Calendar
from chadan.nlq.numbers import small
from chadan.nlq.patterns import data_json, pattern

DAY = timedelta(days=1)
YEARS_BACK = 9


@dataclass(frozen=True)
class Point:
    """`[start, end)` in local time and what kind of expression it was, so that the end of a range can inherit from it."""

    start: datetime
    end: datetime
    kind: str
    day: date | None = None
    part: str = ""
    festival: bool = False
    literal: bool = False

    @property
    def instant(self) -> bool:
        """Whether the point is a clock time: as a bound it is the instant, not the period."""
        return self.kind == "clock"


@dataclass(frozen=True)
class Clock:
    """What a point is read against: now, the calendar, and the start of the range it ends, if it does."""

    now: datetime
    calendar: Calendar
    after: Point | None = None

    @property
    def today(self) -> date:
        """The local day."""
        return self.now.date()


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """Local midnight of `day`, plus hours (24 and more run into the next day) and minutes."""
    return datetime.combine(day, time()) + timedelta(hours=hour, minutes=minute)


def shift(day: date, months: int) -> date:
    """The same day `months` later, clamped to the end of the month (§4)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def months_from(year: int, month: int, count: int) -> tuple[datetime, datetime]:
    """`count` calendar months from the first of `month` (which may lie outside 1–12)."""
    first = shift(date(year, 1, 1), month - 1)
    return at(first), at(shift(first, count))


def day_point(day: date, *, literal: bool = True) -> Point:
    """A whole day."""
    return Point(at(day), at(day + DAY), "day", day=day, literal=literal)


def months_point(year: int, month: int, count: int, kind: str) -> Point:
    """Whole months as a point."""
    start, end = months_from(year, month, count)
    return Point(start, end, kind, literal=True)


def monday(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def pick(clock: Clock, candidates: Callable[[int], Iterable[Point]]) -> Point | None:
    """The most recent candidate that has started; as the end of a range, the first not before its start (§4.2, 4.8).

    `candidates(year)` gives the candidates of one year.
    """
    if clock.after is not None:
        floor = clock.after.start
        for year in range(floor.year, min(floor.year + YEARS_BACK, 9998)):
            for point in candidates(year):
                if point.start >= floor:
                    return replace(point, literal=False)
        return None
    for year in range(clock.today.year, max(clock.today.year - YEARS_BACK, 1), -1):
        started = [point for point in candidates(year) if point.start <= clock.now]
        if started:
            return replace(started[-1], literal=False)
    return None


def day_in(year: int, month: int, day: int) -> Point | None:
    """The day as a point; None when it does not exist."""
    if not (2 <= year <= 9990 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return None
    return day_point(date(year, month, day))


def _third(year: int, month: int, groups: dict[str, str | None]) -> Point:
    first, last = (1, 10) if groups["t1"] else (11, 20) if groups["t2"] else (21, 31)
    if groups["h1"]:
        first, last = 1, 15
    elif groups["h2"]:
        first, last = 16, 31
    base = shift(date(year, 1, 1), month - 1)
    last = min(last, monthrange(base.year, base.month)[1])
    return Point(at(base.replace(day=first)), at(base.replace(day=last) + DAY), "third", literal=True)


def _year_part(year: int, groups: dict[str, str | None]) -> Point:
    if groups["yb"]:
        return months_point(year, 1, 2, "third")
    if groups["ym"]:
        return months_point(year, 6, 2, "third")
    if groups["ye"]:
        return months_point(year, 11, 2, "third")
    if groups["hy1"] or groups["hy2"]:
        return months_point(year, 1 if groups["hy1"] else 7, 6, "half")
    quarter = groups["qn"] or groups["qc"] or "1"
    number = small(quarter) or 1
    return months_point(year, number * 3 - 2, 3, "quarter")


def _offset(match: re.Match[str], names: dict[str, int]) -> int | None:
    for name, value in names.items():
        if match[name] is not None:
            return value
    return None


YEARS = {"y0": 0, "y1": -1, "y2": -2, "y3": -3, "yp1": 1}
MONTHS = {"m0": 0, "m1": -1, "m2": -2, "mp1": 1}
QUARTERS = {"q0": 0, "q1": -1, "q2": -2}
WEEKS = {"w0": 0, "w1": -1, "w2": -2, "w3": -3, "wp1": 1}
DAYS = {"d0": 0, "d1": -1, "d2": -2, "d3": -3, "dp1": 1, "dp2": 2}
_WEEKDAYS: dict[str, int] = data_json("words.json")["weekdays"]


def weekday_of(match: re.Match[str], first: date) -> Point:
    """The weekday or weekend that `match` names, in the week that begins on `first`."""
    if match["wend"]:
        saturday = first + timedelta(days=5)
        return Point(at(saturday), at(saturday + 2 * DAY), "weekend", literal=True)
    index = min(int(match["wdn"]) - 1, 6) if match["wdn"] else min(_WEEKDAYS[match["wd"]], 6)
    return day_point(first + timedelta(days=index))


def link_end(text: str, index: int) -> int:
    """Past a linking 的."""
    match = pattern("link").match(text, index)
    return match.end() if match else index


Found = tuple[int, Point]


def relative_day(text: str, index: int, clock: Clock) -> Found | None:
    """今天, 昨儿, 大前天 … The day's part of day stays in the text behind it (今早, 昨晚)."""
    match = pattern("relative_day").match(text, index)
    if not match:
        return None
    days = _offset(match, DAYS)
    return match.end(), day_point(clock.today + timedelta(days=days or 0))


def anchored_month(text: str, index: int, clock: Clock) -> Found | None:
    """本月, 上个月 … and what narrows it: 20号, 上旬, 月底, 今天."""
    match = pattern("month_anchor").match(text, index)
    if not match:
        return None
    base = shift(clock.today.replace(day=1), _offset(match, MONTHS) or 0)
    here = match.end()
    return _inside_month(text, here, clock, base.year, base.month) or (
        here,
        months_point(base.year, base.month, 1, "month"),
    )


def _inside_month(text: str, index: int, clock: Clock, year: int, month: int) -> Found | None:
    third = pattern("third").match(text, index)
    if third:
        return third.end(), _third(year, month, third.groupdict())
    edge = pattern("edge_days").match(text, index)
    if edge:
        last = monthrange(year, month)[1]
        count = min((small(edge["count"]) or 1) * (7 if edge["weeks"] else 1), last)
        first = date(year, month, 1 if edge["first"] else last - count + 1)
        return edge.end(), Point(at(first), at(first + timedelta(days=count)), "third", literal=True)
    here = link_end(text, index)
    found = pattern("day_num").match(text, here) or pattern("day_num_bare").match(text, here)
    if found:
        point = day_in(year, month, small(found["dom"]) or 0)
        if point:
            return found.end(), point
    third = pattern("bare_third").match(text, here)
    if third:
        return third.end(), _third(year, month, third.groupdict())
    today = pattern("relative_day").match(text, here)
    if today and today["d0"]:
        last = monthrange(year, month)[1]
        return today.end(), day_point(date(year, month, min(clock.today.day, last)))
    return None


def anchored_year(
    text: str, index: int, clock: Clock, festival: Callable[[str, int, int], Found | None]
) -> Found | None:
    """去年, 2024年, 24年 … and what narrows it: a month, a day, a part of the year, a festival, 今天."""
    match = pattern("year_anchor").match(text, index)
    if not match:
        return None
    if match["ynum"]:
        number = small(match["ynum"])
        if number is None:
            return None
        year = number + 2000 if number < 100 else number
    else:
        year = clock.today.year + (_offset(match, YEARS) or 0)
    if not 2 <= year <= 9990:
        return None
    here = match.end()
    for start in dict.fromkeys((here, link_end(text, here))):
        found = _inside_year(text, start, clock, year) or festival(text, start, year)
        if found:
            return found
    return here, months_point(year, 1, 12, "year")


def _inside_year(text: str, index: int, clock: Clock, year: int) -> Found | None:
    month = pattern("month_num").match(text, index)
    if month:
        return month_at(text, month, clock, year)
    part = pattern("year_part").match(text, index)
    if part:
        return part.end(), _year_part(year, part.groupdict())
    edge = pattern("edge_months").match(text, index)
    if edge:
        count = min(small(edge["count"]) or 1, 12)
        return edge.end(), months_point(year, 1 if edge["first"] else 13 - count, count, "third")
    today = pattern("relative_day").match(text, index)
    if today and today["d0"]:
        return today.end(), day_point(shift(clock.today, 12 * (year - clock.today.year)))
    return None


def month_number(text: str) -> int:
    """1–12 for the month's number; 0 when there is no such month."""
    number = small(text)
    if number is None:
        return 1
    return number if 1 <= number <= 12 else 0


def month_at(text: str, match: re.Match[str], clock: Clock, year: int | None) -> Found | None:
    """A month by number, in `year` or the most recent, and what narrows it."""
    month = month_number(match["mon"])
    if not month:
        return None
    here = match.end()
    day = pattern("day_num").match(text, here) or pattern("day_num_bare").match(text, here)
    if not day:
        plain = re.compile(r"(?P<dom>[0-3]?\d)(?![\d.])").match(text, here)
        day = (
            plain
            if plain and year is None and text[here - 1] != "份" and not pattern("money_after").match(text, plain.end())
            else None
        )
    if day:
        number = small(day["dom"]) or 0
        if year is not None:
            point = day_in(year, month, number)
        else:
            point = pick(clock, lambda y: filter(None, [day_in(y, month, number)]))
        return (day.end(), point) if point else None
    third = pattern("third").match(text, here) or pattern("bare_third").match(text, link_end(text, here))
    if third:
        groups = third.groupdict()
        if year is not None:
            return third.end(), _third(year, month, groups)
        point = pick(clock, lambda y: [_third(y, month, groups)])
        return (third.end(), point) if point else None
    if year is not None:
        return here, months_point(year, month, 1, "month")
    point = pick(clock, lambda y: [months_point(y, month, 1, "month")])
    return (here, point) if point else None


def bare_day(text: str, index: int, clock: Clock) -> Found | None:
    """20号: the most recent 20th, skipping months that have none."""
    match = pattern("day_num").match(text, index)
    if not match or (index and text[index - 1] in ("第.0123456789" if clock.after else "第.-/0123456789")):
        return None
    number = small(match["dom"]) or 0
    point = pick(clock, lambda year: filter(None, (day_in(year, month, number) for month in range(1, 13))))
    return (match.end(), point) if point else None


def _weeks(year: int) -> Iterator[date]:
    first = monday(date(year, 1, 1))
    while first.year <= year:
        yield first
        first += timedelta(days=7)


def week_point(text: str, index: int, clock: Clock) -> Found | None:
    """上周, 本周三, 上周末, and bare 周三, 周末."""
    match = pattern("week_anchor").match(text, index)
    if match:
        first = monday(clock.today) + timedelta(days=7 * (_offset(match, WEEKS) or 0))
        for start in dict.fromkeys((match.end(), link_end(text, match.end()))):
            day = (
                pattern("weekday").match(text, start)
                if start == match.end()
                else pattern("bare_weekday").match(text, start)
            )
            if day:
                return day.end(), weekday_of(day, first)
        return match.end(), Point(at(first), at(first + 7 * DAY), "week", literal=True)
    match = pattern("bare_weekday").match(text, index)
    if not match:
        return None
    found = match
    point = pick(clock, lambda year: (weekday_of(found, first) for first in _weeks(year)))
    return (match.end(), point) if point else None


def quarter_point(text: str, index: int, clock: Clock) -> Found | None:
    """本季度, 上季度."""
    match = pattern("quarter_anchor").match(text, index)
    if not match:
        return None
    first = (clock.today.month - 1) // 3 * 3 + 1 + 3 * (_offset(match, QUARTERS) or 0)
    return match.end(), months_point(clock.today.year, first, 3, "quarter")


def bare_part_of_period(text: str, index: int, clock: Clock) -> Found | None:
    """上半年, Q3, 年底 and 月底, 中旬 without an anchor."""
    match = pattern("bare_year_part").match(text, index)
    if match:
        groups = match.groupdict()
        point = pick(clock, lambda year: [_year_part(year, groups)])
        return (match.end(), point) if point else None
    match = pattern("bare_third").match(text, index)
    if match:
        groups = match.groupdict()
        point = pick(clock, lambda year: (_third(year, month, groups) for month in range(1, 13)))
        return (match.end(), point) if point else None
    return None


def bare_month(text: str, index: int, clock: Clock) -> Found | None:
    """3月, 3月5号, 三月下旬."""
    match = pattern("month_num").match(text, index)
    if not match or (index and text[index - 1] in "0123456789.个半第"):
        return None
    return month_at(text, match, clock, None)
