"""How values look on a page: money, order numbers, moments, masked contacts. All are Jinja2 filters (web/jinja.py)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markupsafe import Markup, escape

from chadan.orders.number import LENGTH, SHANGHAI

SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "HKD": "HK$", "JPY": "JP¥"}
NONE = "—"
_GROUPS = ((0, 6), (6, 11), (11, 14), (14, 19))
_DAY = timedelta(days=1)


def money(fen: int | None, currency: str = "CNY") -> str:
    """`fen` (hundredths) as `¥1,234.50`; a dash for None, a true minus sign before the currency for negatives."""
    if fen is None:
        return NONE
    whole, cents = divmod(abs(fen), 100)
    sign = SIGNS.get(currency) or f"{currency}\u00a0"
    return f"{'−' if fen < 0 else ''}{sign}{whole:,}.{cents:02d}"


def order_no(number: int | str | None) -> Markup:
    """The 19 digits in four visual groups (date, second, home, rest); copying them yields the bare number."""
    if number is None:
        return Markup(NONE)  # noqa: S704 - a constant
    digits = f"{number:019d}" if isinstance(number, int) else number
    if len(digits) != LENGTH or not digits.isdigit():
        return escape(digits)
    first, *rest = (digits[start:end] for start, end in _GROUPS)
    return Markup(f'<span class="order-no">{first}{"".join(f"<i>{part}</i>" for part in rest)}</span>')  # noqa: S704 - digits


def number(value: float | None) -> str:
    """A whole number or a float with thousands separators; a dash for None."""
    return NONE if value is None else f"{value:,}"


def absolute(moment: datetime | None, *, seconds: bool = True) -> str:
    """`moment` (aware) in Asia/Shanghai as `2026-11-22 21:04:05`; a dash for None."""
    if moment is None:
        return NONE
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def when(moment: datetime | None, now: datetime | None = None) -> Markup:
    """`moment` (aware) as `<time>`: relative within 24 hours, else the date (the year only when it is not this one).

    The title always holds the full moment, Asia/Shanghai. `now` is for tests.
    """
    if moment is None:
        return Markup(NONE)  # noqa: S704 - a constant
    local = moment.astimezone(SHANGHAI)
    present = (now or datetime.now(UTC)).astimezone(SHANGHAI)
    age = present - local
    if timedelta(0) <= age < _DAY:
        shown = _relative(int(age.total_seconds()))
    elif local.year == present.year:
        shown = local.strftime("%m-%d %H:%M")
    else:
        shown = local.strftime("%Y-%m-%d %H:%M")
    return _time_element(local, shown)


def full_time(moment: datetime | None) -> Markup:
    """`moment` (aware) as `<time>` in full, for detail pages and receipts."""
    if moment is None:
        return Markup(NONE)  # noqa: S704 - a constant
    return _time_element(moment.astimezone(SHANGHAI), absolute(moment))


def mask(contact: str | None) -> str:
    """A contact with its middle hidden: `138****6955`, `li****@qq.com`, `10****01`; nothing stays of short ones."""
    if not contact:
        return NONE
    name, at, domain = contact.partition("@")
    if at and domain:
        return f"{name[:2] if len(name) > 2 else name[:1]}****@{domain}"
    if len(contact) >= 11:
        return f"{contact[:3]}****{contact[-4:]}"
    if len(contact) >= 6:
        return f"{contact[:2]}****{contact[-2:]}"
    return f"{contact[0]}****"


def _time_element(local: datetime, shown: str) -> Markup:
    stamp = local.isoformat(timespec="seconds")
    title = local.strftime("%Y-%m-%d %H:%M:%S")
    return Markup(f'<time datetime="{stamp}" title="{title}">{escape(shown)}</time>')  # noqa: S704 - escaped above


def _relative(seconds: int) -> str:
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        minutes = seconds // 60
        return ngettext("%(n)d min ago", "%(n)d min ago", minutes) % {"n": minutes}
    hours = seconds // 3600
    return ngettext("%(n)d hour ago", "%(n)d hours ago", hours) % {"n": hours}
