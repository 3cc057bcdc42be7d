"""How a question was understood, in a sentence, and the other readings that are one click away (SPEC appendix A)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from chadan.nlq.reading import Reading
from chadan.orders.states import OrderStatus
from chadan.search.chips import chips
from chadan.search.order_query import OrderQuery, TimeRange
from chadan.search.wording import say
from chadan.search.written import midnight, preset_range

MOST = 6
"""Other readings that are offered."""
_AGO = re.compile(r"[天日周月季年]前$")
_MONEY = {"face_value": "amount", "amount": "face_value"}
_INSTEAD = {"face_value": "Read it as the face value", "amount": "Read it as the amount paid"}
_STATUSES = (
    ("Not arrived: failed ones too", ("paid", "processing", "failed")),
    ("Not delivered: without the failed ones", ("paid", "processing")),
    ("Arrived: delivered or completed", ("delivered", "completed")),
    ("Only completed ones", ("completed",)),
)
"""Readings of a status that people mean by the same words, in pairs (SPEC appendix A, 13 and 14)."""
_MEASURES = {"quantity": "By pieces sold", "amount": "By amount", "count": "By number of orders"}
_FIELDS = {
    "placed": "By the time of ordering",
    "paid": "By the time of payment",
    "completed": "By the time of completion",
    "refunded": "By the time of the refund",
}


class Part(NamedTuple):
    """A filter in words, and the words of the question it came from ("" for one that came from elsewhere)."""

    key: str
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
    return [
        Part(c.key, say("{label}: {text}", label=c.label, text=c.text), " ".join(words.get(c.key, []))) for c in found
    ]


def alternatives(query: OrderQuery, now: datetime, parts: Sequence[Part] = ()) -> list[Instead]:
    """Readings that people argue about, likeliest first, at most MOST; never the one that was taken.

    `parts` are the filters with their words, where the words decide what else was meant.
    """
    found = [*_money(query), *_statuses(query), *_windows(query, now), *_before(query, parts), *_measures(query)]
    others = dict.fromkeys([*found, *_moments(query)])
    return [one for one in others if one.query != query][:MOST]


def _money(query: OrderQuery) -> Iterator[Instead]:
    for name, other in _MONEY.items():
        value = getattr(query, name)
        if value is not None and getattr(query, other) is None:
            yield Instead(say(_INSTEAD[other]), query.replace(**{name: None, other: value}))


def _statuses(query: OrderQuery) -> Iterator[Instead]:
    """The other half of a pair; the time of a refund for the state of being refunded, and back."""
    for place, (_text, words) in enumerate(_STATUSES):
        if query.status and set(query.status) == set(words):
            text, others = _STATUSES[place ^ 1]
            yield Instead(say(text), query.replace(status=tuple(map(OrderStatus, others))))
    time, refunded = query.time, (OrderStatus.REFUNDED,)
    if time is None:
        return
    if time.field == "refunded" and not query.status:
        placed = msgspec.structs.replace(time, field="placed")
        yield Instead(say("Ordered then, and refunded at any time"), query.replace(time=placed, status=refunded))
    elif time.field == "placed" and query.status == refunded:
        moved = msgspec.structs.replace(time, field="refunded")
        yield Instead(say("Refunded then, in part too"), query.replace(time=moved, status=()))


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


def _before(query: OrderQuery, parts: Sequence[Part]) -> Iterator[Instead]:
    """「三个月前」 is that month; some mean everything older."""
    time = query.time
    said = any(part.key == "time" and _AGO.search(part.words) for part in parts)
    if said and time is not None and time.start is not None and time.end is not None:
        yield Instead(say("Everything before that, too"), query.replace(time=msgspec.structs.replace(time, start=None)))


def _measures(query: OrderQuery) -> Iterator[Instead]:
    """What a ranking goes by."""
    if query.intent == "top" and query.metric in _MEASURES:
        for metric, text in _MEASURES.items():
            yield Instead(say(text), query.replace(metric=metric))


def _moments(query: OrderQuery) -> Iterator[Instead]:
    time = query.time
    if time is None:
        return
    fields = ("paid", "completed") if time.field == "placed" else ("placed",)
    for field in fields:
        yield Instead(say(_FIELDS[field]), query.replace(time=msgspec.structs.replace(time, field=field)))
