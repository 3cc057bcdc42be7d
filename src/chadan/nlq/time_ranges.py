"""Times in an utterance: points, rolling windows, bounds and ranges become one interval and its field (§4–5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chadan.nlq import festivals, time_clock, time_numeric, time_points
from chadan.nlq.calendar import Calendar
from chadan.nlq.numbers import small
from chadan.nlq.patterns import pattern
from chadan.nlq.sheet import Sheet
from chadan.nlq.time_points import DAY, Clock, Found, Point, at, shift
from chadan.nlq.time_windows import Duration, back, duration, rolling, units_ago


@dataclass(frozen=True)
class Interval:
    """`[start, end)`, either side may be open."""

    start: datetime | None
    end: datetime | None
    field: str = "placed"
    whole: Point | None = None


def read_times(sheet: Sheet, now: datetime, calendar: Calendar) -> None:
    """Consumes every time of the utterance; the first sets the interval, neighbours joined by 和 widen it."""
    clock = Clock(now.replace(microsecond=0), calendar)
    impossible_dates(sheet, now.year)
    overdue(sheet, clock)
    index = 0
    text = sheet.mask
    while index < len(text):
        character = text[index]
        previous = text[index - 1] if index else ""
        inside_word = character.isascii() and character.isalpha() and previous.isascii() and previous.isalnum()
        if not character.isspace() and character < "\ue000" and not inside_word:
            found = expression(text, index, clock)
            if found:
                end, interval = found
                _take(sheet, index, end, interval)
                text = sheet.mask
                index = max(end, index + 1)
                continue
        index += 1


def impossible_dates(sheet: Sheet, year: int) -> None:
    """Leaves a day that no year has (31 February, month 13) to the text and says so, rather than read half of it."""
    for match in list(pattern("written_date").finditer(sheet.mask)):
        month, day = (small(match["m1"] or match["m2"]) or 0), (small(match["d1"] or match["d2"]) or 0)
        years = [int(match["y2"])] if match["y2"] else range(year - 8, year + 1)
        if not any(time_points.day_in(of, month, day) for of in years):
            sheet.note("no_such_date", text=sheet.raw_of(match.start(), match.end()))
            sheet.take(match.start(), match.end(), "text", "text", sheet.raw_of(match.start(), match.end()))


def _take(sheet: Sheet, start: int, end: int, interval: Interval) -> None:
    text = sheet.mask
    field = interval.field
    cue = None
    for match in pattern("field_cue").finditer(text, max(0, start - 12), start):
        if match.end() == start:
            cue = match
    if cue:
        field = next(name for name in ("paid", "completed", "refunded", "placed") if cue[name] is not None)
        start = cue.start()
    else:
        gap = pattern("event_gap").match(text, end)
        event = pattern("event").match(text, gap.end() if gap else end)
        if event:
            field = next(name for name in ("paid", "completed", "refunded") if event[name] is not None)
            sheet.cover(event.start(), event.end(), "event")
    sheet.take(start, end, "time", "time", replace(interval, field=field))


def overdue(sheet: Sheet, clock: Clock) -> None:
    """「付款超过半小时还没发货」, 「卡单超过6小时」: older than a duration, and something has not happened (§4.9)."""
    for match in pattern("overdue").finditer(sheet.mask):
        length = duration(match)
        verb = match["verb"] or ""
        stuck = bool(pattern("stuck_before").fullmatch(verb))
        # A verb that starts a clock needs no 还没 behind it: 付款超过3小时的.
        waiting = bool(pattern("waiting_before").fullmatch(verb))
        aging = match["more"] and (waiting or pattern("aging").fullmatch(verb + match["more"]))
        if length is None or not (stuck or aging or pattern("open_negative").match(sheet.mask, match.end())):
            continue
        moment = back(clock.now, length)
        if moment is None:
            continue
        paid = bool(pattern("event_paid").fullmatch(verb)) or bool(pattern("paid_verb").fullmatch(verb))
        start = match.start("more") if waiting else match.start()
        if stuck:
            sheet.take(match.start("verb"), match.end("verb"), "status", "status", ["processing"])
            start = match.start("more")
        sheet.take(start, match.end(), "time", "time", Interval(None, moment, "paid" if paid else "placed"))
        return


def expression(text: str, index: int, clock: Clock) -> tuple[int, Interval] | None:
    """The longest time expression at `index`: its end and its interval."""
    until = pattern("until_before").match(text, index)
    if until:
        found = point(text, until.end(), clock)
        if found:
            tail = pattern("until").match(text, found[0])
            return tail.end() if tail else found[0], Interval(None, bound(found[1], last=True))
    opening = pattern("from").match(text, index)
    start = opening.end() if opening else index
    found = point(text, start, clock)
    if not found:
        window = rolling(text, start, clock)
        return (window[0], Interval(*window[1])) if window else None
    end, first = found
    return _continued(text, end, first, clock, opened=bool(opening))


def bound(point: Point, *, last: bool) -> datetime:
    """The point's end, or its instant when it is a clock time."""
    return point.start if point.instant or not last else point.end


def _continued(text: str, end: int, first: Point, clock: Clock, *, opened: bool) -> tuple[int, Interval]:
    open_end = pattern("to_now").match(text, end)
    if open_end:
        return open_end.end(), Interval(first.start, None)
    joined = pattern("to").match(text, end)
    if joined:
        second = _second(text, joined.end(), first, clock)
        if second:
            return second[0], Interval(first.start, bound(second[1], last=True), whole=None)
    tail = _tail(text, end, first, opened=opened)
    if tail:
        return tail
    return _joined(text, end, first, clock)


def _second(text: str, index: int, first: Point, clock: Clock) -> Found | None:
    found = point(text, index, replace(clock, after=first))
    if found and (found[1].start >= first.start or found[1].literal):
        return found
    return None


def _tail(text: str, end: int, first: Point, *, opened: bool) -> tuple[int, Interval] | None:
    since = pattern("since").match(text, end)
    if since:
        to_now = pattern("to_now").match(text, since.end())
        return to_now.end() if to_now else since.end(), Interval(first.start, None)
    until = pattern("until").match(text, end)
    if until:
        return until.end(), Interval(None, bound(first, last=True))
    if first.day or first.festival:
        around = pattern("around_days").match(text, end)
        if around and not first.instant:
            margin = duration(around) if around["num"] or around["half"] else None
            days = margin.count * {"day": 1, "week": 7}.get(margin.unit, 1) if margin else 3
            return around.end(), Interval(first.start - days * DAY, first.end + days * DAY)
        near = pattern("near_days").match(text, end)
        length = duration(near) if near else None
        if near and length:
            return near.end(), _beside(first, length, before=near["side"] is None)
    before = pattern("before_tail").match(text, end)
    if before:
        return before.end(), Interval(None, first.start)
    after = pattern("after_tail").match(text, end)
    if after:
        return after.end(), Interval(bound(first, last=True), None)
    if opened:
        return end, Interval(first.start, None)
    return None


def _beside(point: Point, length: Duration, *, before: bool) -> Interval:
    edge = point.start if before else point.end
    if length.unit in ("day", "week"):
        days = timedelta(days=length.count * (7 if length.unit == "week" else 1))
        return Interval(edge - days, edge) if before else Interval(edge, edge + days)
    if length.unit in ("month", "year"):
        months = length.count * (12 if length.unit == "year" else 1)
        other = at(shift(edge.date(), -months if before else months))
        return Interval(other, edge) if before else Interval(edge, other)
    hours = timedelta(hours=length.count) if length.unit == "hour" else timedelta(minutes=length.count)
    return Interval(edge - hours, edge) if before else Interval(edge, edge + hours)


def _joined(text: str, end: int, first: Point, clock: Clock) -> tuple[int, Interval]:
    start, stop = first.start, first.end
    while True:
        comma = pattern("hull").match(text, end)
        found = point(text, comma.end(), clock) if comma else None
        if not found:
            return end, Interval(start, stop, whole=first)
        end = found[0]
        start, stop = min(start, found[1].start), max(stop, found[1].end)


def point(text: str, index: int, clock: Clock) -> Found | None:
    """The time point at `index`, the most specific reading first."""
    found = _date(text, index, clock)
    if not found:
        return time_clock.bare(text, index, clock)
    end, value = found
    if value.kind == "day":
        end, narrowed = time_clock.behind_day(text, end, value)
        if narrowed is value:
            same = pattern("same_day").match(text, end)
            end = same.end() if same else end
        value = narrowed
    return end, value


def _date(text: str, index: int, clock: Clock) -> Found | None:
    shared = pattern("shared_unit").match(text, index)
    if shared:
        found = _date(shared["left"] + shared["unit"], 0, clock)
        if found:
            return shared.end("left"), found[1]
    return (
        time_numeric.numeric(text, index, clock)
        or units_ago(text, index, clock)
        or festivals.festival(text, index, clock)
        or time_points.anchored_year(text, index, clock, lambda t, i, y: festivals.festival(t, i, clock, y))
        or time_points.quarter_point(text, index, clock)
        or time_points.anchored_month(text, index, clock)
        or time_points.week_point(text, index, clock)
        or time_points.relative_day(text, index, clock)
        or time_points.bare_month(text, index, clock)
        or time_points.bare_day(text, index, clock)
        or time_points.bare_part_of_period(text, index, clock)
        or _same_weekday(text, index, clock)
    )


def _same_weekday(text: str, index: int, clock: Clock) -> Found | None:
    """「周一到五」: the second weekday without 周."""
    if clock.after is None or clock.after.day is None:
        return None
    match = pattern("weekday").match(text, index)
    if not match or not pattern("bare_weekday").search(text, max(0, index - 5), index):
        return None
    week = time_points.monday(clock.after.day)
    value = time_points.weekday_of(match, week)
    if value.start < clock.after.start:
        value = time_points.weekday_of(match, week + timedelta(days=7))
    return match.end(), value
