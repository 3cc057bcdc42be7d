"""How people write moments, windows and money; shared by URL, grammar and chips."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from chadan.orders.number import SHANGHAI
from chadan.platform.errors import InvalidInput, InvalidQuery
from chadan.search import checking
from chadan.search.order_query import TimeRange

PRESETS = ("today", "yesterday", "7d", "30d", "90d", "365d", "month", "last_month", "year", "all")
"""Windows that move with the day; `7d` is today and the six days before."""
_DAYS = re.compile(r"([1-9][0-9]{0,3})d")
_MONEY = re.compile(r"([0-9]{1,17})(?:\.([0-9]{1,2}))?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def midnight(moment: datetime) -> datetime:
    """The start of the local day."""
    return moment.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def month_start(moment: datetime, months: int = 0) -> datetime:
    """The start of the local month, `months` later. Raises ValueError outside the years 1 to 9999."""
    index = moment.year * 12 + moment.month - 1 + months
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=SHANGHAI)


def preset_range(preset: str, now: datetime, field: str = "placed") -> TimeRange | None:
    """The window a preset (or any `<n>d`) means at `now`; None for `all` and for what is no preset."""
    today = midnight(now)
    tomorrow = today + timedelta(days=1)
    start, end = today, tomorrow
    days = _DAYS.fullmatch(preset)
    if days:
        start = tomorrow - timedelta(days=int(days[1]))
    elif preset == "yesterday":
        start, end = today - timedelta(days=1), today
    elif preset == "month":
        start, end = month_start(today), month_start(today, 1)
    elif preset == "last_month":
        start, end = month_start(today, -1), month_start(today)
    elif preset == "year":
        start, end = datetime(today.year, 1, 1, tzinfo=SHANGHAI), datetime(today.year + 1, 1, 1, tzinfo=SHANGHAI)
    elif preset != "today":
        return None
    return TimeRange(field=field, start=start, end=end)


def is_midnight(moment: datetime) -> bool:
    """Whether a local moment is the start of a day."""
    return (moment.hour, moment.minute, moment.second) == (0, 0, 0)


def start_text(moment: datetime) -> str:
    """An inclusive start as short as it goes: a date for midnight."""
    local = moment.replace(tzinfo=None)
    return f"{local.year:04d}{local:-%m-%d}" if is_midnight(moment) else local.isoformat()


def end_text(moment: datetime) -> str:
    """An exclusive end: the last day included when it is midnight, else the moment."""
    if is_midnight(moment) and moment.replace(tzinfo=None) > datetime.min:  # noqa: DTZ901
        return start_text(moment - timedelta(days=1))
    return moment.replace(tzinfo=None).isoformat()


def _moment(text: str, field: str) -> datetime:
    if len(text) == 16:
        text += ":00"
    return checking.check_moment(f"{text}T00:00:00" if _DATE.fullmatch(text) else text, field)


def start_moment(text: str, field: str) -> datetime:
    """`2026-01-31`, `2026-01-31T18:30` or with seconds, as an inclusive start. Raises InvalidQuery."""
    return _moment(text, field)


def end_moment(text: str, field: str) -> datetime:
    """The same as an exclusive end: a date alone includes its day. Raises InvalidQuery."""
    moment = _moment(text, field)
    if not _DATE.fullmatch(text):
        return moment
    try:
        return moment + timedelta(days=1)
    except OverflowError as error:
        raise checking.invalid(field, "“{field}” must be a time such as 2026-01-31T18:30:00.") from error


def fen_text(fen: int) -> str:
    """Fen as yuan with two decimals."""
    return f"{fen // 100}.{fen % 100:02d}"


def typed_fen(text: str, field: str) -> int:
    """What somebody typed into a form's field as `parse_fen` reads it. Raises InvalidInput."""
    try:
        return parse_fen(text, field)
    except InvalidQuery:  # its sentence names the key of a query
        raise InvalidInput(_("Enter an amount such as 50 or 50.00."), field=field) from None


def parse_fen(text: str, field: str) -> int:
    """`50`, `50.5`, `¥50.00` yuan as fen. Raises InvalidQuery."""
    match = _MONEY.fullmatch(text.strip().lstrip("¥￥").removesuffix("元").replace(",", ""))
    if not match:
        raise checking.invalid(field, "“{field}” must be an amount such as 50 or 50.00.")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
