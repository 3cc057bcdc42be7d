"""Values out of text, or a sentence why not."""

from __future__ import annotations

import re
from datetime import datetime

from chadan.orders.number import SHANGHAI

_MONEY = re.compile(r"(\d{1,11})(?:\.(\d{1,2})0*)?")
_WHOLE = re.compile(r"\d{1,9}")
_ZERO_DATE = "0000-00-00 00:00:00"
EARLIEST = int(datetime(2000, 1, 1, tzinfo=SHANGHAI).timestamp())


class Unreadable(ValueError):
    """A value that cannot be used; its text is the reason, fit for a report."""


def money(text: str, what: str) -> int:
    """Fen of a decimal amount in yuan; nothing is 0. Raises Unreadable."""
    if not text:
        return 0
    match = _MONEY.fullmatch(text)
    if not match:
        raise Unreadable(f"the {what} {shown(text)} is not an amount")
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def whole(text: str, what: str) -> int:
    """A whole number from 0. Raises Unreadable."""
    if not _WHOLE.fullmatch(text):
        raise Unreadable(f"the {what} {shown(text)} is not a whole number")
    return int(text)


def moment(text: str, what: str, now: int) -> int | None:
    """Seconds since 1970 of a local time `YYYY-MM-DD HH:MM:SS`; None for nothing. Raises Unreadable, also for the future."""
    if not text or text == _ZERO_DATE:
        return None
    try:
        value = int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI).timestamp())
    except ValueError:
        raise Unreadable(f"the {what} {shown(text)} is not a time") from None
    if value < EARLIEST:
        raise Unreadable(f"the {what} {shown(text)} lies before the year 2000")
    if value > now + 300:
        raise Unreadable(f"the {what} {shown(text)} lies in the future")
    return value


def limited(text: str, what: str, most: int) -> str:
    """`text`, if it has at most `most` characters. Raises Unreadable."""
    if len(text) > most:
        raise Unreadable(f"the {what} has {len(text)} characters, more than {most}")
    return text


def shown(text: str) -> str:
    """`text` in quotes, short enough for a report."""
    return repr(text if len(text) <= 40 else text[:40] + "…")
