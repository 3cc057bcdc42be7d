"""The pieces put together into the query's JSON object, what contradicts itself explained instead of kept."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.patterns import pattern
from chadan.nlq.sheet import Piece, Sheet
from chadan.nlq.time_ranges import Interval

LISTS = (
    "status",
    "category",
    "product",
    "variant",
    "buyer",
    "merchant",
    "agent",
    "supplier",
    "tag",
    "platform",
    "payment_method",
)
IDS = ("order_no", "external_no", "account")
RANGES = ("face_value", "amount", "quantity")
MAX_VALUES = 200
MAX_STRING = 500


def assemble(sheet: Sheet, asked: dict[str, Any], text: str, lexicon: Lexicon) -> dict[str, Any]:
    """The order query as the schema's JSON object, defaults left out."""
    _coordinate(sheet, lexicon)
    got: dict[str, Any] = {}
    exclude: dict[str, Any] = {}
    for piece in sorted(sheet.pieces, key=lambda piece: piece.start):
        holder = exclude if piece.negated else got
        if piece.slot in LISTS:
            _extend(sheet, holder, piece)
        elif piece.slot in IDS:
            _match(holder, piece)
        elif piece.slot in RANGES:
            _narrow(sheet, got, piece)
        elif piece.slot == "time":
            _time(sheet, got, piece.value)
        elif piece.slot in ("has_after_sale", "role_view"):
            got[piece.slot] = piece.value
    exclude.pop("order_no", None)
    exclude.pop("external_no", None)
    _both_ways(sheet, got, exclude)
    if exclude:
        got["exclude"] = exclude
    got.update({name: value for name, value in asked.items() if value != DEFAULTS.get(name)})
    if text:
        got["text"] = text
    return got


DEFAULTS = {"intent": "list", "metric": "amount"}


def _extend(sheet: Sheet, holder: dict[str, Any], piece: Piece) -> None:
    values = piece.value if isinstance(piece.value, list) else [piece.value]
    kept = holder.get(piece.slot, [])
    merged = list(dict.fromkeys([*kept, *(value for value in values if value and len(value) <= MAX_STRING)]))
    if len(merged) > MAX_VALUES:
        sheet.note("too_many_values", field=piece.slot, kept=MAX_VALUES)
        merged = merged[:MAX_VALUES]
    if merged:
        holder[piece.slot] = merged


def _match(holder: dict[str, Any], piece: Piece) -> None:
    kept = holder.setdefault(piece.slot, {})
    for name, value in piece.value.items():
        if name == "equals":
            short = [text[:MAX_STRING] for text in value]
            kept["equals"] = list(dict.fromkeys([*kept.get("equals", []), *short]))[:MAX_VALUES]
        else:
            kept[name] = value[:MAX_STRING]


def _narrow(sheet: Sheet, got: dict[str, Any], piece: Piece) -> None:
    kept = got.get(piece.slot)
    value = dict(piece.value)
    if kept:
        value["min"] = max((bound["min"] for bound in (kept, value) if "min" in bound), default=None)
        value["max"] = min((bound["max"] for bound in (kept, value) if "max" in bound), default=None)
        value = {name: bound for name, bound in value.items() if bound is not None}
    if "min" in value and "max" in value and value["min"] > value["max"]:
        sheet.note("contradictory_range", field=piece.slot, **value)
        if kept:
            return
        value = {"min": value["max"], "max": value["min"]}
    got[piece.slot] = value


def _time(sheet: Sheet, got: dict[str, Any], interval: Interval) -> None:
    if interval.start is not None and interval.end is not None and interval.start >= interval.end:
        sheet.note("empty_time", **{"from": _text(interval.start), "to": _text(interval.end)})
        return
    kept = got.get("time")
    start = _text(interval.start) if interval.start else None
    end = _text(interval.end) if interval.end else None
    if kept:
        if kept["field"] != interval.field and interval.field != "placed":
            sheet.note("second_time", field=interval.field)
            return
        lows = [bound for bound in (kept.get("from"), start) if bound]
        highs = [bound for bound in (kept.get("to"), end) if bound]
        start, end = max(lows, default=None), min(highs, default=None)
        if start and end and start >= end:
            sheet.note("contradictory_time", **{"from": start, "to": end})
            return
    field = kept["field"] if kept else interval.field
    got["time"] = {"field": field, **({"from": start} if start else {}), **({"to": end} if end else {})}


def _text(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat()


def _both_ways(sheet: Sheet, got: dict[str, Any], exclude: dict[str, Any]) -> None:
    """A value both wanted and excluded matches nothing: say so and keep the exclusion only."""
    for name in LISTS:
        both = [value for value in got.get(name, []) if value in exclude.get(name, [])]
        if both:
            sheet.note("wanted_and_excluded", field=name, values=both)
            got[name] = [value for value in got[name] if value not in both]
            if not got[name]:
                del got[name]


def _coordinate(sheet: Sheet, lexicon: Lexicon) -> None:
    """「话费和Q币」: a category joined to a product is written into `product` by its base word (§9)."""
    pieces = sheet.having("product", "category")
    for left, right in pairwise(pieces):
        kinds = {left.kind, right.kind}
        if kinds != {"product", "category"} or left.negated != right.negated:
            continue
        if not pattern("coordination").fullmatch(sheet.text[left.end : right.start]):
            continue
        category = left if left.kind == "category" else right
        if isinstance(category.value, str) and category.value in lexicon.base_words:
            category.slot, category.value = "product", lexicon.base_words[category.value]
