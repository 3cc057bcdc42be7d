"""An `OrderQuery` as the text of the search box: `parse(render(query)).query == query`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chadan.search import order_query as oq
from chadan.search.grammar_words import KEY_BEFORE
from chadan.search.written import end_text, fen_text, start_text

_SAFE = re.compile(r"[0-9A-Za-z_\u4e00-\u9fff][0-9A-Za-z_\u4e00-\u9fff@.+-]*")
_TIME_KEYS = {"placed": "date", "paid": "paid", "completed": "completed", "refunded": "refunded"}


def quoted(text: str) -> str:
    """`text` as one value: bare where that is safe, in quotes otherwise."""
    if _SAFE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def render(query: oq.OrderQuery) -> str:
    """The query as search-box text, in a stable order."""
    return " ".join(_parts(query))


def _parts(query: oq.OrderQuery) -> Iterator[str]:
    yield from _members(query, "")
    if query.time is not None:
        yield f"{_TIME_KEYS[query.time.field]}:{_time(query.time)}"
    if query.has_after_sale is not None:
        yield f"aftersale:{'yes' if query.has_after_sale else 'no'}"
    for name in oq.RANGE_FIELDS:
        bounds: oq.Range | None = getattr(query, name)
        if bounds is not None:
            yield f"{_key(name)}:{_range(name, bounds)}"
    if query.exclude is not None:
        yield from _members(query.exclude, "-")
    for name in ("role_view", "intent", "metric", "group_by", "limit"):
        value = getattr(query, name)
        if value != getattr(_NOTHING, name):
            yield f"{_key(name)}:{value}"
    if query.sort is not None:
        yield f"sort:{'-' if query.sort.dir == 'desc' else ''}{query.sort.by}"
    if query.text:
        yield f"text:{quoted(query.text)}" if _SAFE.fullmatch(query.text) else quoted(query.text)


_NOTHING = oq.OrderQuery()


def _key(name: str) -> str:
    return KEY_BEFORE.get(name, name)


def _members(holder: oq.OrderQuery | oq.Exclude, sign: str) -> Iterator[str]:
    for name in oq.ID_FIELDS:
        match: oq.IdMatch | None = getattr(holder, name, None)
        if match is not None:
            yield f"{sign}{_key(name)}:{_id(match)}"
    for name in (*oq.ENUM_FIELDS, *oq.NAME_FIELDS):
        values = getattr(holder, name)
        if values:
            yield f"{sign}{_key(name)}:{'|'.join(quoted(value) for value in values)}"


def _id(match: oq.IdMatch) -> str:
    shapes = {"prefix": "{}*", "suffix": "*{}", "contains": "*{}*"}
    parts = [quoted(value) for value in match.equals]
    parts.extend(shapes[kind].format(quoted(text)) for kind, text in match.parts())
    return "|".join(parts)


def _time(time: oq.TimeRange) -> str:
    start = start_text(time.start) if time.start is not None else ""
    end = end_text(time.end) if time.end is not None else ""
    return start if start == end and "T" not in start else f"{start}..{end}"


def _range(name: str, bounds: oq.Range) -> str:
    show = str if name == "quantity" else fen_text
    low, high = (show(bound) if bound is not None else "" for bound in (bounds.min, bounds.max))
    return low if low == high else f"{low}..{high}"
