"""`OrderQuery` as URL parameters people can read and edit, and back without loss.

    status=paid,processing&from=2026-01-01&to=2026-01-31&amount_min=50.00&product=腾讯视频&exclude.tag=测试&sort=-amount

Closed words of a list stand behind one key with commas; names repeat their key. A date alone means its whole day, so
`to=2026-01-31` includes the 31st; a `to` with a time is exclusive. `date=7d` is a window that moves with the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from chadan.platform.errors import InvalidQuery
from chadan.search import checking
from chadan.search import order_query as oq
from chadan.search.wording import say
from chadan.search.written import (
    PRESETS,
    end_moment,
    end_text,
    fen_text,
    parse_fen,
    preset_range,
    start_moment,
    start_text,
)

PAGE_KEYS = frozenset({"q", "cursor", "columns", "page", "lang", "saved"})
"""Parameters of a page that are no part of the filter."""
_RANGES = {"face": "face_value", "amount": "amount", "quantity": "quantity"}
_ID_PARTS = ("equals", "prefix", "suffix", "contains")
_SINGLE = ("intent", "metric", "group_by", "limit", "text")


class UrlState(NamedTuple):
    """What a URL says: the query, the search box's text, the preset the window comes from ("" for none)."""

    query: oq.OrderQuery
    q: str
    date: str


def to_pairs(query: oq.OrderQuery, *, q: str = "", date: str = "") -> list[tuple[str, str]]:
    """The parameters in a stable order. With a preset in `date` the window itself is not written."""
    pairs = [("q", q)] if q else []
    if query.role_view:
        pairs.append(("view", query.role_view))
    for name in ("intent", "metric", "group_by"):
        value = getattr(query, name)
        if value and value != getattr(oq.OrderQuery(), name):
            pairs.append((name, value))
    pairs.extend(_time_pairs(query.time, date))
    pairs.extend(_member_pairs("", query))
    if query.has_after_sale is not None:
        pairs.append(("after_sale", "yes" if query.has_after_sale else "no"))
    for key, name in _RANGES.items():
        pairs.extend(_range_pairs(key, getattr(query, name)))
    if query.text:
        pairs.append(("text", query.text))
    if query.exclude:
        pairs.extend(_member_pairs("exclude.", query.exclude))
    if query.sort:
        pairs.append(("sort", ("-" if query.sort.dir == "desc" else "") + query.sort.by))
    if query.limit is not None:
        pairs.append(("limit", str(query.limit)))
    return pairs


def to_url(query: oq.OrderQuery, *, q: str = "", date: str = "", **extra: str) -> str:
    """The query string (without `?`); `extra` parameters such as `cursor` come last."""
    pairs = [*to_pairs(query, q=q, date=date), *((key, value) for key, value in extra.items() if value)]
    return urlencode(pairs, safe=",:")


def _time_pairs(time: oq.TimeRange | None, date: str) -> list[tuple[str, str]]:
    if time is None:
        return []
    pairs = [("time", time.field)] if time.field != "placed" else []
    if date and date != "custom":
        return [*pairs, ("date", date)]
    if time.start is not None:
        pairs.append(("from", start_text(time.start)))
    if time.end is not None:
        pairs.append(("to", end_text(time.end)))
    return pairs


def _member_pairs(prefix: str, holder: oq.OrderQuery | oq.Exclude) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name in oq.ID_FIELDS:
        match: oq.IdMatch | None = getattr(holder, name, None)
        if match is not None:
            pairs.extend((prefix + name, value) for value in match.equals)
            pairs.extend((f"{prefix}{name}.{kind}", text) for kind, text in match.parts())
    for name in oq.ENUM_FIELDS:
        words = getattr(holder, name)
        if words:
            pairs.append((prefix + name, ",".join(words)))
    for name in oq.NAME_FIELDS:
        pairs.extend((prefix + name, value) for value in getattr(holder, name))
    return pairs


def _range_pairs(key: str, value: oq.Range | None) -> list[tuple[str, str]]:
    if value is None:
        return []
    show = str if key == "quantity" else fen_text
    bounds = ((f"{key}_min", value.min), (f"{key}_max", value.max))
    return [(name, show(bound)) for name, bound in bounds if bound is not None]


def from_url(text: str, *, now: datetime, ignore: Iterable[str] = ()) -> UrlState:
    """`from_pairs` of a query string. Raises InvalidQuery."""
    if len(text) > 4 * checking.MAX_BYTES:
        raise checking.too_large()
    return from_pairs(parse_qsl(text, keep_blank_values=True, errors="replace"), now=now, ignore=ignore)


def from_pairs(pairs: Iterable[tuple[str, str]], *, now: datetime, ignore: Iterable[str] = ()) -> UrlState:
    """What the parameters say; empty ones (a form's untouched fields) are skipped, `ignore` names foreign keys.

    Raises InvalidQuery naming the parameter that is unknown or cannot be understood.
    """
    foreign = PAGE_KEYS.union(ignore)
    given: dict[str, list[str]] = {}
    total = 0
    for key, value in pairs:
        total += len(key) + len(value)
        if total > checking.MAX_BYTES:
            raise checking.too_large()
        if value and (key == "q" or key not in foreign):
            given.setdefault(key, []).append(value)
    q = " ".join(given.pop("q", []))
    date = _last(given, "date")
    data: dict[str, Any] = {}
    time = _time(given, date, now)
    for key, values in given.items():
        _put(data, key, values)
    query = checking.check_query(data)
    if time is not None:
        query = query.replace(time=time)
    return UrlState(query, q, date)


def _last(given: dict[str, list[str]], key: str) -> str:
    return given.pop(key, [""])[-1]


def _time(given: dict[str, list[str]], date: str, now: datetime) -> oq.TimeRange | None:
    field = _last(given, "time") or "placed"
    start, end = _last(given, "from"), _last(given, "to")
    checking.check_choice(field, "time", oq.TIME_FIELDS)
    if date and date not in ("custom", "all"):
        if date not in PRESETS:
            raise checking.invalid("date", "“{field}” must be one of: {choices}.", choices=", ".join(PRESETS))
        return preset_range(date, now, field)
    if date == "all" or not (start or end):
        return None
    return checking.ordered_time(
        oq.TimeRange(
            field=field,
            start=start_moment(start, "from") if start else None,
            end=end_moment(end, "to") if end else None,
        )
    )


def _put(data: dict[str, Any], key: str, values: list[str]) -> None:
    target, name = (data.setdefault("exclude", {}), key[8:]) if key.startswith("exclude.") else (data, key)
    base, _, part = name.partition(".")
    range_key, _, edge = name.rpartition("_")
    if base in oq.ID_FIELDS and (not part or part in _ID_PARTS):
        equals = part in ("", "equals")
        target.setdefault(base, {})["equals" if equals else part] = _unique(values) if equals else values[-1]
    elif name in oq.ENUM_FIELDS:
        target[name] = _unique(word.strip() for value in values for word in value.split(",") if word.strip())
    elif name in oq.NAME_FIELDS:
        target[name] = _unique(values)
    elif target is not data:
        raise _unknown(key)
    elif range_key in _RANGES and edge in ("min", "max"):
        number = whole(values[-1], name) if range_key == "quantity" else parse_fen(values[-1], name)
        data.setdefault(_RANGES[range_key], {})[edge] = number
    elif name in _SINGLE:
        data[name] = whole(values[-1], name) if name == "limit" else values[-1]
        if (name, values[-1]) in (("intent", "list"), ("metric", "amount")):
            del data[name]
    elif name == "view":
        data["role_view"] = values[-1]
    elif name in ("after_sale", "has_after_sale"):
        data["has_after_sale"] = flag(values[-1], name)
    elif name == "sort":
        data["sort"] = sort_dict(values[-1])
    else:
        raise _unknown(key)


def _unknown(key: str) -> InvalidQuery:
    return InvalidQuery(say("Unknown filter parameter “{key}”.", key=key[:60]), field=key[:60])


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def whole(value: str, field: str) -> int:
    """A whole number typed by somebody."""
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise checking.invalid(field, "“{field}” must be a whole number.")
    return int(value)


def flag(value: str, field: str) -> bool:
    """yes/no typed by somebody."""
    known: Mapping[str, bool] = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if value.lower() not in known:
        raise checking.invalid(field, "“{field}” must be yes or no.")
    return known[value.lower()]


def sort_dict(value: str) -> dict[str, str]:
    """`-amount` as the schema writes it."""
    return {"by": value.removeprefix("-"), "dir": "desc" if value.startswith("-") else "asc"}
