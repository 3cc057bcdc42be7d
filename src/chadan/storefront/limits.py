"""How often somebody without an account may try. Counted in one statement, so that tries at the same moment all count."""

from __future__ import annotations

from hashlib import blake2b
from typing import ClassVar, NamedTuple

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chadan.platform.errors import ChadanError


class TooManyTries(ChadanError):
    """The visitor tried too often; the sentence says when to come back."""

    code = "too_many_tries"
    status: ClassVar[int] = 429


class Limit(NamedTuple):
    """At most `times` tries in `seconds` for one subject: an address, an order number, a contact."""

    name: str
    times: int
    seconds: int


ORDERS = Limit("orders by address", 30, 600)
LOOKUPS = Limit("look-ups by address", 30, 600)
LOOKUPS_OF_ONE = Limit("look-ups of one order or contact", 10, 3600)
LOOKUPS_OF_ONE_A_DAY = Limit("look-ups of one order or contact in a day", 30, 86_400)
MAILS = Limit("mails by address", 10, 3600)
MAILS_OF_ONE = Limit("mails about one order", 3, 86_400)
_COUNT = """
insert into guest_tries as t (key, count, until) values (%(key)s, 1, now() + make_interval(secs => %(seconds)s))
on conflict (key) do update set
    count = case when t.until < now() then 1 else t.count + 1 end,
    until = case when t.until < now() then excluded.until else t.until end
returning count, ceil(extract(epoch from until - now()) / 60)
"""
_FORGET = "delete from guest_tries where until < now()"


def spend(limit: Limit, subject: str) -> None:
    """Counts one try. Raises TooManyTries from the try after the last allowed one on, until the time is over.

    Call it outside a transaction that may be rolled back: the try has to stay counted.
    """
    # Hashed: the table holds no addresses and no contacts.
    key = blake2b(f"{limit.name}\n{subject}".encode(), digest_size=16).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": key, "seconds": limit.seconds})
        count, minutes = cursor.fetchone()
    if count > limit.times:
        wait = max(1, int(minutes))
        raise TooManyTries(
            _("That was too often."),
            hint=ngettext("Try again in %(n)d minute.", "Try again in %(n)d minutes.", wait) % {"n": wait},
        )


def forget() -> int:
    """Removes counters whose time is over; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
        return int(cursor.rowcount)
