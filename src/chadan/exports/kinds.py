"""What the cells of a table are, and how each is written as text."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from chadan.orders.number import SHANGHAI

Cell = str | int | datetime | None
"""A str in a TEXT or CODE column, an int in INTEGER, fen (int) in MONEY, an aware datetime in DATETIME, or None."""


class Kind(StrEnum):
    """What a column's cells are. CODE is a text a spreadsheet would mangle as a number: order numbers, accounts."""

    TEXT = "text"
    CODE = "code"
    INTEGER = "integer"
    MONEY = "money"
    DATETIME = "datetime"


_EPOCH = datetime(1899, 12, 30, tzinfo=SHANGHAI)
_DAY = timedelta(days=1)


def yuan(fen: int) -> str:
    """Fen as a decimal with two places."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole}.{rest:02d}"


def serial(moment: datetime) -> str:
    """Days since 1899-12-30 00:00 Asia/Shanghai, as Excel counts; ten decimals keep the millisecond."""
    return f"{(moment - _EPOCH) / _DAY:.10f}"


def local_text(moment: datetime) -> str:
    """`2026-01-02 03:04:05` in Asia/Shanghai: what Excel recognises in a CSV; fractions are dropped."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
