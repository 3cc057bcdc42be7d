"""The order number: it knows when the order was placed and where it lives (DESIGN §2.3).

`YYMMDD SSSSS HHH RRRR C` in a bigint: local date, second of the day, home of the merchant, random, check digit.
The check digit is Damm's (H. Michael Damm, 2004): it catches every single wrong digit and every swap of neighbours.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Chadan's local time. China has kept +08:00 without daylight saving since 1991."""

LENGTH = 19
HOMES = 1000
PER_SECOND = 10_000
_SECOND = 10**8
_DAY = 10**13
_MONTH = 10**15
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def _damm_block(interim: int, block: int) -> int:
    for digit in f"{block:03d}":
        interim = int(_DAMM[interim][int(digit)])
    return interim


# Three digits a step: bulk loads number millions of orders.
_BLOCKS = [[_damm_block(interim, block) for block in range(1000)] for interim in range(10)]


@dataclass(frozen=True, slots=True)
class OrderNumber:
    """The parts of an order number."""

    placed_at: datetime
    home: int
    random: int


def check_digit(body: int) -> int:
    """Damm's check digit of the 18 digits before it."""
    blocks = _BLOCKS
    interim = blocks[0][body // 10**15]
    for power in (10**12, 10**9, 10**6, 10**3, 1):
        interim = blocks[interim][body // power % 1000]
    return interim


def make(placed_at: datetime, home: int, random: int | None = None) -> int:
    """The number of an order placed at `placed_at` (aware) at `home` (0-999); `random` is 0-9999, drawn if not given."""
    local = placed_at.astimezone(SHANGHAI)
    if not 2000 <= local.year <= 2091:
        raise ValueError(f"no order number for the year {local.year}")
    if not 0 <= home < HOMES:
        raise ValueError(f"home {home} is outside 0-999")
    tail = secrets.randbelow(PER_SECOND) if random is None else random
    body = floor(local) // 10 + home * PER_SECOND + tail
    return body * 10 + check_digit(body)


def floor(moment: datetime) -> int:
    """The smallest number an order placed in this second or later can have: a time filter's bound on `order_no`."""
    local = moment.astimezone(SHANGHAI)
    second = local.hour * 3600 + local.minute * 60 + local.second
    return ((local.year - 2000) * 10**4 + local.month * 100 + local.day) * _DAY + second * _SECOND


def is_valid(order_no: int) -> bool:
    """Whether the check digit and the date and time inside are right: False is a typo, not a miss."""
    if not 0 < order_no < 2**63 or check_digit(order_no // 10) != order_no % 10:
        return False
    try:
        split(order_no)
    except ValueError:
        return False
    return True


def digits(typed: str) -> int | None:
    """The 19 ASCII digits of a number that a bigint holds, check digit not judged; None for any other text."""
    if len(typed) != LENGTH or not (typed.isascii() and typed.isdigit()):
        return None
    order_no = int(typed)
    return order_no if order_no < 2**63 else None


def parse(typed: str) -> int | None:
    """The order number that `typed`, 19 digits and nothing else, is; None for a typo and for any other text."""
    order_no = digits(typed)
    return order_no if order_no is not None and is_valid(order_no) else None


def opens_with_day(typed: str) -> bool:
    """Whether the text opens with a day as order numbers do, in this site's time (2015-2060)."""
    try:
        return 2015 <= datetime.strptime(typed[:6], "%y%m%d").replace(tzinfo=SHANGHAI).year <= 2060
    except ValueError:
        return False


def split(order_no: int) -> OrderNumber:
    """The parts of `order_no`. Raises ValueError when the date or the second of the day does not exist."""
    second = order_no // _SECOND % 100_000
    if second >= 86_400:
        raise ValueError(f"{order_no} names second {second} of a day")
    day = datetime(
        2000 + order_no // (_MONTH * 100),
        order_no // _MONTH % 100,
        order_no // _DAY % 100,
        tzinfo=SHANGHAI,
    )
    return OrderNumber(day + timedelta(seconds=second), order_no // 100_000 % HOMES, order_no // 10 % PER_SECOND)


def placed_at(order_no: int) -> datetime:
    """When the order was placed, to the second, Asia/Shanghai."""
    return split(order_no).placed_at


def month_bounds(order_no: int) -> tuple[int, int]:
    """First number of the order's month partition and of the next one."""
    year, month = divmod(order_no // _MONTH, 100)
    following = (year + month // 12) * 100 + month % 12 + 1
    return order_no // _MONTH * _MONTH, following * _MONTH


def text(order_no: int) -> str:
    """The number as shown and serialised: always 19 digits, a string."""
    return f"{order_no:019d}"


_RUN = re.compile(r"(?<!\d)(?:\d[ \t\u00a0\u3000-]?){18}\d(?!\d)")


def find(typed: str) -> int | None:
    """The 19-digit run in what somebody pasted, spaces, hyphens and words around it allowed; None when there is none.

    The check digit is not judged here: the caller says "mistyped" where `is_valid` is False.
    """
    match = _RUN.search(typed)
    return int(re.sub(r"\D", "", match.group())) if match else None


def now() -> datetime:
    """The current moment, aware."""
    return datetime.now(UTC).astimezone(SHANGHAI)
