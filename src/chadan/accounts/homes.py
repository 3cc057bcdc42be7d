"""Which home a new merchant gets (DESIGN §2.3)."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Count

from chadan.accounts.models import Merchant

HOMES = 1000
_LOCK = 0x484F4D45


def next_homes(count: int = 1) -> list[int]:
    """Homes for `count` new merchants: the least filled ones, lowest first. Call and create in one transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("homes are given out inside the transaction that creates the merchants")
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    filled = dict.fromkeys(range(HOMES), 0)
    filled.update(Merchant.objects.values_list("home").annotate(Count("pk")))
    homes = []
    for _ in range(count):
        home = min(filled, key=lambda number: (filled[number], number))
        filled[home] += 1
        homes.append(home)
    return homes
