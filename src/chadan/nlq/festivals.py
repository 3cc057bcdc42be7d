"""Festivals by name, with the rules for days, holiday windows and campaigns (§4.11); every date comes from the calendar."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from chadan.nlq.calendar import Calendar
from chadan.nlq.numbers import small
from chadan.nlq.patterns import data_json, pattern
from chadan.nlq.time_points import DAY, Clock, Found, Point, at, day_point, pick


@cache
def _names() -> tuple[re.Pattern[str], dict[str, dict[str, Any]]]:
    by_name = {name: entry for entry in data_json("festivals.json") for name in entry["names"]}
    words = "|".join(map(re.escape, sorted(by_name, key=len, reverse=True)))
    return re.compile(words), by_name


def festival(text: str, index: int, clock: Clock, year: int | None = None) -> Found | None:
    """A festival at `index`, in `year` when an anchor names one, else the most recent."""
    numbered = pattern("new_year_day").match(text, index)
    if numbered:
        offset = (small(numbered["dom"]) or 1) - 1
        return _resolve(numbered.end(), clock, year, lambda y: _new_year(clock.calendar, y, offset))
    names, entries = _names()
    match = names.match(text, index)
    if not match or pattern("not_festival").match(text, index):
        return None
    entry, end = entries[match[0]], match.end()
    if index and pattern("numeral").match(match[0]) and pattern("part_of_number").match(text[index - 1]):
        return None
    if entry.get("number") or match[0].isdigit():
        before = text[max(0, index - 8) : index]
        if (
            pattern("money_after").match(text, end)
            or pattern("money_before").search(before)
            or pattern("id_before").search(before)
        ):
            return None
        if end < len(text) and (text[end].isascii() and text[end].isalnum()):
            return None
    festive = pattern("festive_tail").match(text, end)
    end = festive.end() if festive else end
    same_day, period = pattern("same_day").match(text, end), pattern("period_word").match(text, end)
    if same_day:
        return _resolve(same_day.end(), clock, year, lambda y: _day(entry, clock.calendar, y))
    if period:
        end = period.end()
    if entry.get("always") or (period and entry.get("campaign")):
        return _resolve(end, clock, year, lambda y: _campaign(entry, clock.calendar, y))
    if (period or entry.get("wide")) and entry.get("window"):
        return _resolve(end, clock, year, lambda y: _window(entry, clock.calendar, y))
    return _resolve(end, clock, year, lambda y: _day(entry, clock.calendar, y))


def _resolve(end: int, clock: Clock, year: int | None, find: Any) -> Found | None:
    point = find(year) if year is not None else pick(clock, lambda y: filter(None, [find(y)]))
    return (end, replace(point, festival=True)) if point else None


def _day(entry: dict[str, Any], calendar: Calendar, year: int) -> Point | None:
    day = calendar.day(entry["day"], year)
    return day_point(day) if day else None


def _new_year(calendar: Calendar, year: int, offset: int) -> Point | None:
    first = calendar.day(data_json("words.json")["new_year"], year)
    return day_point(first + timedelta(days=offset)) if first else None


def _span(first: date, last: date) -> Point:
    return Point(at(first), at(last + DAY), "festival", day=first, literal=True)


def _campaign(entry: dict[str, Any], calendar: Calendar, year: int) -> Point | None:
    window = calendar.campaigns.get(entry["campaign"])
    if window is None:
        return _day(entry, calendar, year)
    (month, day), (last_month, last_day) = window
    return _span(date(year, month, day), date(year, last_month, last_day))


def _window(entry: dict[str, Any], calendar: Calendar, year: int) -> Point | None:
    window = calendar.window(entry["window"], year)
    if window:
        return _span(*window)
    day = calendar.day(entry["day"], year)
    if day is None:
        return None
    fallback = entry.get("fallback", "3")
    if fallback == "new_year":
        return _span(day - DAY, day + timedelta(days=6))
    return _span(day, day + timedelta(days=int(fallback) - 1))
