"""How gateways write values: amounts in yuan, times of Shanghai, JSON whose numbers keep their digits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_YUAN = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,2})0*)?")
_CLOCK = "%Y-%m-%d %H:%M:%S"


class Unreadable(ValueError):
    """Something a gateway said that cannot be understood; its text names what, never the value."""


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals: what every protocol but WeChat's takes."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen_of(text: str, what: str) -> int:
    """Yuan such as `1`, `1.5`, `1.00` as fen. Raises Unreadable, also for an amount finer than a fen."""
    match = _YUAN.fullmatch(text)
    if not match:
        raise Unreadable(f"{what} is not an amount")
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def whole(text: str) -> int | None:
    """A whole number; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def moment(text: str) -> datetime | None:
    """A time of Shanghai, or one that names its offset; None for nothing and for what is no time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def clock(at: datetime) -> str:
    """A moment as gateways write it, in Shanghai."""
    return at.astimezone(SHANGHAI).strftime(_CLOCK)


def json_object(raw: bytes) -> dict[str, Any]:
    """A JSON object whose numbers stay text, digit for digit: signatures cover them as written. Raises Unreadable."""
    try:
        found = json.loads(raw.decode("utf-8-sig"), parse_int=str, parse_float=str, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the answer is no JSON") from error
    if not isinstance(found, dict):
        raise Unreadable("the answer is no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def form(raw: str) -> dict[str, str]:
    """A query or form body as fields. Raises Unreadable for a field that stands twice and for what is no UTF-8."""
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise Unreadable("the fields cannot be read") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("a field stands twice")
    return found


def text(fields: Mapping[str, Any], name: str) -> str:
    """The field as text; nothing where it is missing, null or an object."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def shorten(words: str, most: int) -> str:
    """The words cut to so many bytes of UTF-8, never inside a character."""
    return words.encode()[:most].decode(errors="ignore")
