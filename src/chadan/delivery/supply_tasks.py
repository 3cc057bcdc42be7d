"""Jobs about suppliers and agents. Their arguments are ids only."""

from __future__ import annotations

import logging

from django.db import close_old_connections
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

log = logging.getLogger(__name__)
_AGAIN = RetryStrategy(max_attempts=6, exponential_wait=3)


@app.task(name="delivery.follow", retry=_AGAIN)
def follow(order_no: int, seq: int) -> None:
    """Asks a supplier what became of a purchase."""
    close_old_connections()
    from chadan.delivery import procurement

    procurement.follow(order_no, seq)


@app.task(name="delivery.first_call", retry=_AGAIN)
def first_call(order_no: int, seq: int) -> None:
    """Makes a purchase that was written while a callback was answered."""
    close_old_connections()
    from chadan.delivery import procurement

    procurement.first_call(order_no, seq)


@app.periodic(cron="*/5 * * * *")
@app.task(name="delivery.follow_lost", queueing_lock="delivery.follow_lost", pass_context=False)
def follow_lost(timestamp: int) -> None:
    """Takes up purchases whose job was lost: the longest pause is 15 minutes."""
    close_old_connections()
    from chadan.delivery import supplier_rows

    lost = supplier_rows.lost("20 minutes")
    for order_no, seq in lost:
        follow.defer(order_no=order_no, seq=seq)
    if lost:
        log.info("lost purchases taken up", extra={"purchases": len(lost), "at": timestamp})
