"""How a question was understood, in a sentence, and the other readings that are one click away (SPEC appendix A)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from chadan.nlq.reading import Reading
from chadan.search.chips import chips
from chadan.search.order_query import OrderQuery, TimeRange
from chadan.search.wording import say
from chadan.search.written import midnight, preset_range

_MONEY = {"face_value": "amount", "amount": "face_value"}
_INSTEAD = {"face_value": "Read it as the face value", "amount": "Read it as the amount paid"}
_FIELDS = {
    "placed": "By the time of ordering",
    "paid": "By the time of payment",
    "completed": "By the time of completion",
    "refunded": "By the time of the refund",
}


class Part(NamedTuple):
    """A filter in words, and the words of the question it came from ("" for one that came from elsewhere)."""

    meaning: str
    words: str


class Instead(NamedTuple):
    """Another reading: what the link says, and its query."""

    text: str
    query: OrderQuery


def sentence(query: OrderQuery, said: Reading, text: str, now: datetime) -> list[Part]:
    """The filters of `query` one by one, with the words of `text` behind each."""
    words: dict[str, list[str]] = {}
    for span in said.spans:
        slot = f"exclude.{span.slot}" if span.negated else span.slot
        words.setdefault(slot, []).append(text[span.start : span.end].strip())
    found = chips(query, now=now)
    return [Part(say("{label}: {text}", label=c.label, text=c.text), " ".join(words.get(c.key, []))) for c in found]


def alternatives(query: OrderQuery, now: datetime) -> list[Instead]:
    """Readings that people argue about, likeliest first; never the one that was taken."""
    return [
        one for one in dict.fromkeys([*_money(query), *_windows(query, now), *_moments(query)]) if one.query != query
    ]


def _money(query: OrderQuery) -> Iterator[Instead]:
    for name, other in _MONEY.items():
        value = getattr(query, name)
        if value is not None and getattr(query, other) is None:
            yield Instead(say(_INSTEAD[other]), query.replace(**{name: None, other: value}))


def _windows(query: OrderQuery, now: datetime) -> Iterator[Instead]:
    """Calendar periods and rolling windows of the same length."""
    time = query.time
    if time is None:
        return
    today = midnight(now)
    monday = today - timedelta(days=today.weekday())
    pairs = (
        ("Last week, Monday to Sunday", (monday - timedelta(days=7), monday), "The last 7 days", "7d"),
        ("Last month, from the first to its end", _last_month(time, now), "The last 30 days", "30d"),
    )
    for calendar, (start, end), rolling, preset in pairs:
        period = TimeRange(field=time.field, start=start, end=end)
        window = preset_range(preset, now, time.field)
        if time == period:
            yield Instead(say(rolling), query.replace(time=window))
        elif time == window:
            yield Instead(say(calendar), query.replace(time=period))


def _last_month(time: TimeRange, now: datetime) -> tuple[datetime | None, datetime | None]:
    month = preset_range("last_month", now, time.field)
    return (month.start, month.end) if month else (None, None)


def _moments(query: OrderQuery) -> Iterator[Instead]:
    time = query.time
    if time is None:
        return
    fields = ("paid", "completed") if time.field == "placed" else ("placed",)
    for field in fields:
        yield Instead(say(_FIELDS[field]), query.replace(time=msgspec.structs.replace(time, field=field)))
