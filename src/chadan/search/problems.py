"""What is wrong with a search, in sentences; and numbers that look like one of ours but are not."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chadan.orders import number
from chadan.search.order_query import OrderQuery
from chadan.search.wording import say

MISTYPED = "mistyped_number"
_WRONG_LENGTH = {
    17: "{number} has 17 digits, an order number of this site 19: two are missing.",
    18: "{number} has 18 digits, an order number of this site 19: one is missing.",
    20: "{number} has 20 digits, an order number of this site 19: one is too many.",
}


class Problem(msgspec.Struct, frozen=True):
    """Something in a search that was not understood; the rest of it still works."""

    code: str
    """`mistyped_number`, `unknown_key`, `bad_value`, `not_excludable`, `empty_value`, `hidden` or `not_listed`."""
    message: str
    key: str = ""
    hint: str = ""

    @property
    def sentence(self) -> str:
        """What the user reads."""
        return f"{self.message} {self.hint}".strip()


def standing(problems: Iterable[Problem], *, found: bool) -> list[Problem]:
    """The problems that still matter: a doubt about a number is moot once orders are found, it was another's number."""
    return [problem for problem in problems if problem.code != MISTYPED or not found]


def doubts(query: OrderQuery) -> list[Problem]:
    """A problem for each order number asked for that cannot be one of ours, though it looks like one."""
    typed = query.order_no.equals if query.order_no else ()
    return [
        Problem(MISTYPED, message, "no", say("Compare it with the original, or paste it again."))
        for value in typed
        if (message := _doubt(value))
    ]


def _doubt(typed: str) -> str:
    if not (typed.isascii() and typed.isdigit()):
        return ""
    if len(typed) == number.LENGTH and number.parse(typed) is None:
        return say("{number} is not an order number of this site: a digit is wrong or two are swapped.", number=typed)
    if len(typed) in _WRONG_LENGTH and number.opens_with_day(typed):
        return say(_WRONG_LENGTH[len(typed)], number=typed)
    return ""
