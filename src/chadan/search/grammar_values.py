"""The values after a key: lists, wildcards, ranges, moments."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime, timedelta
from typing import Any

from chadan.orders.number import SHANGHAI
from chadan.search import checking
from chadan.search.grammar_words import ENUM_WORDS, NO, SORT_OF, VIEW_OF, WINDOWS, YES
from chadan.search.order_query import TimeRange, local_text
from chadan.search.written import midnight, parse_fen, preset_range

Chars = list[tuple[str, bool]]
"""A value's characters, each with whether it stood in quotes (and so means nothing but itself)."""
_SEPARATORS = ",|，、"
_ROLLING = re.compile(r"近([0-9]{1,4})[天日]")
_MONTH = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})月?")
_DAY = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})|([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})[日号]")
_YEAR = re.compile(r"([0-9]{4})年?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_COMPARED = re.compile(r"(>=|<=|>|<|≥|≤|＞|＜)(.*)", re.DOTALL)


def plain(chars: Chars) -> str:
    """The characters as text."""
    return "".join(character for character, _ in chars)


def split(chars: Chars) -> list[Chars]:
    """The list's items, empty ones dropped."""
    items: list[Chars] = [[]]
    for character, quoted in chars:
        if not quoted and character in _SEPARATORS:
            items.append([])
        else:
            items[-1].append((character, quoted))
    return [item for item in items if item]


def names(chars: Chars) -> list[str]:
    """The list's items as text, each once."""
    return list(dict.fromkeys(plain(item) for item in split(chars)))


def words(field: str, chars: Chars) -> list[str]:
    """Enum values behind the words. Raises InvalidQuery naming a word nobody knows."""
    known = ENUM_WORDS[field]
    found: dict[str, None] = {}
    for name in names(chars):
        values = known.get(name.casefold().replace(" ", "_"), known.get(name.casefold()))
        if values is None:
            choices = ", ".join(dict.fromkeys(value for group in known.values() for value in group))
            raise checking.invalid(field, "“{value}” is no {field}; known are: {choices}.", value=name, choices=choices)
        found.update(dict.fromkeys(values))
    return list(found)


def id_match(field: str, chars: Chars) -> dict[str, Any]:
    """`a|b` equals, `a*` prefix, `*a` suffix, `*a*` contains, `a*b` prefix and suffix."""
    match: dict[str, Any] = {}
    for item in split(chars):
        pieces = _around_stars(item)
        before, after, between = pieces[0], pieces[-1], [piece for piece in pieces[1:-1] if piece]
        if len(pieces) == 1:
            match.setdefault("equals", []).append(before)
        elif between and (before or after or len(between) > 1):
            raise checking.invalid(field, "“{field}” takes one * between two parts: 138*8000.")
        elif not (before or after or between):
            raise checking.invalid(field, "“{field}” needs digits beside the *: 138* or *8000.")
        elif between:
            match["contains"] = between[0]
        else:
            match.update({kind: text for kind, text in (("prefix", before), ("suffix", after)) if text})
    if "equals" in match:
        match["equals"] = list(dict.fromkeys(match["equals"]))
    return match


def _around_stars(item: Chars) -> list[str]:
    pieces = [""]
    for character, quoted in item:
        if character == "*" and not quoted:
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces


def number_range(field: str, text: str) -> dict[str, int]:
    """`50..100`, `50..`, `..100`, `>50`, `>=50`, `<50`, `<=50`, `50`: both bounds inclusive, fen for money."""

    def value(part: str) -> int:
        part = part.strip()
        if field != "quantity":
            return parse_fen(part, field)
        if not (part.isascii() and part.isdigit() and len(part) < 20):
            raise checking.invalid(field, "“{field}” must be a whole number.")
        return int(part)

    compared = _COMPARED.fullmatch(text)
    if compared:
        sign, bound = compared[1], value(compared[2])
        if sign in (">", "＞"):
            return {"min": bound + 1}
        if sign in ("<", "＜"):
            return {"max": bound - 1}
        return {"min": bound} if sign in (">=", "≥") else {"max": bound}
    if ".." in text or "~" in text:
        low, _, high = text.replace("~", "..").partition("..")
        bounds = {name: value(part) for name, part in (("min", low), ("max", high)) if part.strip()}
        if bounds:
            return bounds
    exact = value(text)
    return {"min": exact, "max": exact}


def _date(year: str, month: str, day: str, text: str) -> datetime:
    try:
        return datetime(int(year), int(month), int(day), tzinfo=SHANGHAI)
    except ValueError as error:
        raise _no_date(text) from error


def _no_date(text: str) -> Exception:
    return checking.invalid(
        "date", "“{value}” is no date; write 2026-11-30, 2026-11, 7d, today or 2026-11-01..2026-11-30.", value=text[:60]
    )


def period(text: str, now: datetime) -> tuple[datetime, datetime]:
    """The [start, end) of one date word; an instant is its own start and end. Raises InvalidQuery."""
    text = text.strip()
    rolling = _ROLLING.fullmatch(text)
    preset = preset_range(f"{int(rolling[1])}d" if rolling else WINDOWS.get(text, text.lower()), now)
    if preset is not None and preset.start is not None and preset.end is not None:
        return preset.start, preset.end
    if _INSTANT.fullmatch(text):
        moment = checking.check_moment(text if len(text) == 19 else f"{text}:00", "date")
        return moment, moment
    if text.lower() in ("now", "现在"):
        moment = now.astimezone(SHANGHAI).replace(microsecond=0)
        return moment, moment
    if text in ("本周", "这周", "上周"):
        monday = midnight(now) - timedelta(days=midnight(now).weekday() + (7 if text == "上周" else 0))
        return monday, monday + timedelta(days=7)
    return _calendar(text)


def _day_after(moment: datetime) -> datetime:
    """The next day, or the last second there is."""
    try:
        return moment + timedelta(days=1)
    except OverflowError:
        return datetime.max.replace(microsecond=0, tzinfo=SHANGHAI)


def _calendar(text: str) -> tuple[datetime, datetime]:
    day = _DAY.fullmatch(text)
    if day:
        parts = (day[1], day[3], day[4]) if day[1] else (day[5], day[6], day[7])
        start = _date(*parts, text)
        return start, _day_after(start)
    month = _MONTH.fullmatch(text)
    if month:
        start = _date(month[1], month[2], "1", text)
        return start, _day_after(start.replace(day=monthrange(start.year, start.month)[1]))
    year = _YEAR.fullmatch(text)
    if year:
        start = _date(year[1], "1", "1", text)
        return start, _day_after(start.replace(month=12, day=31))
    raise _no_date(text)


def _back_from_today(text: str) -> bool:
    return bool(_ROLLING.fullmatch(text) or re.fullmatch("[0-9]{1,4}d", text, re.IGNORECASE))


def time_range(field: str, text: str, now: datetime) -> dict[str, str]:
    """`A..B`, `A..`, `..B`, `>A`, `<=A` or `A` as the schema's time; both named periods are included."""
    start: datetime | None = None
    end: datetime | None = None
    compared = _COMPARED.fullmatch(text)
    if compared:
        first, last = period(compared[2], now)
        sign = compared[1]
        start = {">": last, "＞": last, ">=": first, "≥": first}.get(sign)
        end = {"<": first, "＜": first, "<=": last, "≤": last}.get(sign)
    elif ".." in text:
        low, _, high = text.partition("..")
        if _back_from_today(high.strip()):
            raise checking.invalid(
                "date",
                "“{value}” counts back from today and cannot end a range; begin with it: {value}..today.",
                value=high.strip(),
            )
        start = period(low, now)[0] if low.strip() else None
        end = period(high, now)[1] if high.strip() else None
        if start is None and end is None:
            raise _no_date(text)
    else:
        start, end = period(text, now)
    checking.ordered_time(TimeRange(field=field, start=start, end=end))
    bounds = (("from", start), ("to", end))
    return {"field": field, **{name: local_text(moment) for name, moment in bounds if moment is not None}}


def flag(field: str, text: str) -> bool:
    """Yes or no."""
    if text.casefold() in YES | NO:
        return text.casefold() in YES
    raise checking.invalid(field, "“{field}” must be yes or no.")


def sort(text: str) -> dict[str, str]:
    """`-amount` or `amount`."""
    by = SORT_OF.get(text.removeprefix("-").casefold())
    if by is None:
        raise checking.invalid(
            "sort", "“{field}” must be one of: {choices}.", choices="placed_at, paid_at, amount, metric"
        )
    return {"by": by, "dir": "desc" if text.startswith("-") else "asc"}


def view(text: str) -> str:
    """A role view by its word."""
    found = VIEW_OF.get(text.casefold())
    if found is None:
        raise checking.invalid("view", "“{field}” must be one of: {choices}.", choices="consumer, sales, agent")
    return found
