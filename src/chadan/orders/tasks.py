"""Jobs of the order record."""

from __future__ import annotations

import logging

from django.db import close_old_connections, connection
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from chadan.orders import lifecycle

log = logging.getLogger(__name__)
RETRY = RetryStrategy(max_attempts=10, exponential_wait=3)


@app.task(name="orders.expire", pass_context=False, retry=RETRY)
def expire(order_no: int) -> None:
    """Cancels an order nobody paid in time; deferred where it is placed."""
    close_old_connections()
    lifecycle.expire(order_no)


@app.task(name="orders.complete", pass_context=False, retry=RETRY)
def complete(order_no: int) -> None:
    """Completes an order when its escrow time is over; deferred where it is delivered."""
    close_old_connections()
    lifecycle.complete_due(order_no)


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="make_partitions", pass_context=False)
def make_partitions(timestamp: int) -> None:
    """Keeps three months of partitions ahead, so that the first order of a month finds its table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select ensure_order_partitions((to_timestamp(%s) - interval '1 month')::date,"
            " (to_timestamp(%s) + interval '3 months')::date)",
            [timestamp, timestamp],
        )
        row = cursor.fetchone()
    log.info("partitions", extra={"made": row[0] if row else 0})
