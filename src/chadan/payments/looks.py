"""When the gateway is asked about an attempt that nobody has heard of.

The moments are fixed when the attempt starts: every look finds the next one by itself, and two that run at once find the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chadan.payments.records import Attempt
from chadan.platform import jobs

MARKS = (30, 60, 120, 300, 900, 3600)
"""Seconds after its start at which an unpaid attempt is asked about, whether or not its time is over."""
PACE = 90
"""Seconds between looks while the attempt is open. The half minute up to the two that are promised is for a worker that dies
(platform.worker notices within 20 s), the queue and the gateway's answer."""
BEFORE_EXPIRY = timedelta(seconds=20)
WATCHED = timedelta(seconds=20)
"""How seldom a gateway is asked for the sake of a page that the payer keeps open."""


def looks(created_at: datetime, expires_at: datetime | None) -> list[datetime]:
    """Every look at an attempt, in order: the MARKS, one at least every PACE seconds until it expires, one just before."""
    times = {created_at + timedelta(seconds=mark) for mark in MARKS}
    if expires_at is not None:
        span = int((expires_at - created_at).total_seconds())
        times |= {created_at + timedelta(seconds=second) for second in range(PACE, span, PACE)}
        times.add(max(expires_at - BEFORE_EXPIRY, created_at + timedelta(seconds=1)))
    return sorted(times)


def next_look(created_at: datetime, expires_at: datetime | None, now: datetime) -> datetime | None:
    """The first look after `now`; None when there is none any more."""
    return next((time for time in looks(created_at, expires_at) if time > now), None)


def defer_next(attempt: Attempt, now: datetime) -> None:
    """Defers the first look after `now` (the database's), in the transaction under way; once, however often it is called.

    The queueing lock names the look: a look and the next one are both in the queue when a worker dies between them.
    """
    time = next_look(attempt.created_at, attempt.expires_at, now)
    if time is not None:
        second = int((time - attempt.created_at).total_seconds())
        _once(attempt.order_no, attempt.seq, str(second), schedule_at=time)


def soon(order_no: int, seq: int) -> None:
    """Has the worker look now: no page waits for a gateway, and no sweep."""
    _once(order_no, seq, "soon")


def watched(attempt: Attempt, now: datetime) -> bool:
    """Whether the gateway is asked now because the payer is looking on."""
    return attempt.open and now - (attempt.queried_at or attempt.created_at) >= WATCHED


def _once(order_no: int, seq: int, which: str, **options: Any) -> None:
    ids = {"order_no": order_no, "seq": seq}
    jobs.defer_once("payments.heal", f"heal:{order_no}:{seq}:{which}", ids, **options)
