"""Each active filter as a chip in human words, with the query that is left when it is removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from chadan.search import order_query as oq
from chadan.search.wording import say
from chadan.search.written import fen_text, is_midnight, midnight, preset_range, start_text

Labels = Callable[[str, str], str]
"""What to show for a field's value: `labels("status", "paid")`."""


class Chip(NamedTuple):
    """One filter: `label: text`, and the query without it."""

    key: str
    label: str
    text: str
    without: oq.OrderQuery


_WORDS = {
    "pending_payment": "Unpaid",
    "paid": "Paid",
    "processing": "Processing",
    "delivered": "Delivered",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "after_sale": "After-sales",
    "refunded": "Refunded",
    "failed": "Top-up failed",
    "phone_topup": "Phone top-up",
    "data_plan": "Data plan",
    "game_card": "Game card",
    "video_member": "Video membership",
    "music_member": "Music membership",
    "software_key": "Software key",
    "gift_card": "Gift card",
    "other": "Other",
    "alipay": "Alipay",
    "wechat": "WeChat Pay",
    "qqpay": "QQ Wallet",
    "unionpay": "UnionPay",
    "bank": "Bank card",
    "balance": "Balance",
    "usdt": "USDT",
}
_LABELS = {
    "intent": "Question",
    "metric": "Measure",
    "group_by": "By",
    "order_no": "Order number",
    "external_no": "Transaction number",
    "account": "Account",
    "status": "Status",
    "category": "Category",
    "product": "Product",
    "variant": "Variant",
    "buyer": "Buyer",
    "merchant": "Merchant",
    "agent": "Agent",
    "supplier": "Supplier",
    "tag": "Tag",
    "platform": "Channel",
    "payment_method": "Payment method",
    "has_after_sale": "After-sales case",
    "face_value": "Face value",
    "amount": "Amount",
    "quantity": "Quantity",
    "role_view": "View",
    "sort": "Sort",
    "limit": "At most",
    "text": "Text",
}
_TIME_LABELS = {"placed": "Placed", "paid": "Paid at", "completed": "Completed at", "refunded": "Refunded at"}
_CHOICES = {
    "count": "How many",
    "sum": "Total",
    "avg": "Average",
    "top": "Ranking",
    "quantity": "pieces",
    "profit": "profit",
    "day": "day",
    "week": "week",
    "month": "month",
    "hour": "hour",
    "weekday": "day of the week",
    "consumer": "bought",
    "sales": "direct sales",
    "agent": "through agents",
}
_SORTS = {
    ("placed_at", "desc"): "newest first",
    ("placed_at", "asc"): "oldest first",
    ("paid_at", "desc"): "last paid first",
    ("paid_at", "asc"): "first paid first",
    ("amount", "desc"): "highest amount first",
    ("amount", "asc"): "lowest amount first",
    ("metric", "desc"): "highest first",
    ("metric", "asc"): "lowest first",
}
_WINDOWS = {
    "today": "today",
    "yesterday": "yesterday",
    "month": "this month",
    "last_month": "last month",
    "year": "this year",
}
_PARTS = {"prefix": "starts with {text}", "suffix": "ends with {text}", "contains": "contains {text}"}


def default_label(field: str, value: str) -> str:
    """The standard word for a closed value; anything else as it is."""
    return say(_WORDS[value]) if field in oq.ENUM_FIELDS and value in _WORDS else value


def field_label(field: str) -> str:
    """The name of a filter field, translated."""
    return say(_LABELS[field])


def chips(query: oq.OrderQuery, *, now: datetime, labels: Labels = default_label) -> list[Chip]:
    """The active filters in the order of the form, exclusions last. `now` lets a window say "last 30 days"."""
    found = [*_time(query, now), *_positive(query, labels)]
    if query.exclude is not None:
        found.extend(_excluded(query, query.exclude, labels))
    return found


def describe(query: oq.OrderQuery, *, now: datetime, labels: Labels = default_label) -> str:
    """The whole filter as one line, such as an export's title or a saved view's summary."""
    return " · ".join(f"{chip.label}: {chip.text}" for chip in chips(query, now=now, labels=labels))


def _positive(query: oq.OrderQuery, labels: Labels) -> Iterator[Chip]:
    empty = oq.OrderQuery()
    for name, label in _LABELS.items():
        value = getattr(query, name)
        if value != getattr(empty, name):
            yield Chip(name, say(label), _text(name, value, labels), query.replace(**{name: getattr(empty, name)}))


def _excluded(query: oq.OrderQuery, exclude: oq.Exclude, labels: Labels) -> Iterator[Chip]:
    for name in oq.EXCLUDABLE:
        value = getattr(exclude, name)
        if not value:
            continue
        empty = None if name == "account" else ()
        rest: oq.Exclude | None = msgspec.structs.replace(exclude, **{name: empty})
        rest = None if rest == oq.Exclude() else rest
        text = say("not {text}", text=_text(name, value, labels))
        yield Chip(f"exclude.{name}", say(_LABELS[name]), text, query.replace(exclude=rest))


def _text(name: str, value: object, labels: Labels) -> str:
    if isinstance(value, oq.IdMatch):
        parts = [say(_PARTS[kind], text=text) for kind, text in value.parts()]
        return say(" and ").join([*([_either(value.equals)] if value.equals else []), *parts])
    if isinstance(value, oq.Range):
        return range_text(value, money=name != "quantity")
    if isinstance(value, oq.Sort):
        return say(_SORTS[value.by, value.dir])
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, tuple):
        return _either([labels(name, str(item)) for item in value])
    if name in ("intent", "metric", "role_view") or (name == "group_by" and str(value) in oq.GROUPS[3:8]):
        return say(_CHOICES[str(value)]) if (name, value) != ("metric", "count") else say("orders")
    if name == "group_by":
        return field_label(str(value))
    return str(value)


def _either(values: Sequence[str]) -> str:
    shown = list(values[:5])
    if len(values) > 5:
        return say("{values} and {more} more", values=say(", ").join(shown), more=len(values) - 5)
    return say(" or ").join(shown)


def range_text(value: oq.Range, *, money: bool) -> str:
    """`≥ ¥50.00`, `¥50.00 – ¥100.00`; fen are shown as yuan."""

    def show(bound: int) -> str:
        return f"¥{fen_text(bound)}" if money else str(bound)

    if value.min is None or value.max is None:
        return f"≤ {show(value.max)}" if value.max is not None else f"≥ {show(value.min or 0)}"
    return show(value.min) if value.min == value.max else f"{show(value.min)} – {show(value.max)}"


def _time(query: oq.OrderQuery, now: datetime) -> Iterator[Chip]:
    if query.time is not None:
        label = say(_TIME_LABELS[query.time.field])
        yield Chip("time", label, time_text(query.time, now), query.replace(time=None))


def time_text(time: oq.TimeRange, now: datetime) -> str:
    """The window in words: today, last 30 days, or its days and times."""
    for preset, words in _WINDOWS.items():
        if preset_range(preset, now, time.field) == time:
            return say(words)
    start, end = time.start, time.end
    if start is not None and end == midnight(now) + timedelta(days=1) and is_midnight(start):
        return say("last {days} days", days=(end - start).days)
    if start is None or end is None:
        return _open(start, end)
    if is_midnight(start) and is_midnight(end):
        last = end - timedelta(days=1)
        return start_text(start) if last == start else f"{start_text(start)} – {start_text(last)}"
    return f"{_moment(start)} – {_moment(end)}"


def _open(start: datetime | None, end: datetime | None) -> str:
    if start is not None:
        return say("from {time}", time=_moment(start))
    return say("before {time}", time=_moment(end)) if end is not None else ""


def _moment(moment: datetime) -> str:
    text = start_text(moment).replace("T", " ")
    return text.removesuffix(":00") if len(text) == 19 else text
