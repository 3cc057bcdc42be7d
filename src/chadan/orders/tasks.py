"""Jobs of the order record."""

from __future__ import annotations

import logging

from django.db import close_old_connections, connection
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from chadan.orders import lifecycle, number
from chadan.platform import jobs
from chadan.platform.errors import ChadanError

log = logging.getLogger(__name__)
RETRY = RetryStrategy(max_attempts=10, exponential_wait=3)


@app.periodic(cron="* * * * * */20")
@app.task(name="orders.sweep_unpaid", queueing_lock="orders.sweep_unpaid", pass_context=False)
def sweep_unpaid(timestamp: int) -> None:
    """Hands every unpaid order whose time is over to a job of its own: its gateways are asked a last time."""
    close_old_connections()
    many = 0
    for order_no in lifecycle.unpaid_due():
        many += jobs.defer_once("orders.expire", f"expire:{order_no}", {"order_no": order_no})
    if many:
        log.info("unpaid orders due", extra={"orders": many, "at": timestamp})


@app.task(name="orders.expire", pass_context=False, retry=RETRY)
def expire(order_no: int) -> None:
    """Cancels an order nobody paid in time."""
    close_old_connections()
    lifecycle.expire(order_no)


@app.periodic(cron="* * * * *")
@app.task(name="orders.sweep_escrow", queueing_lock="orders.sweep_escrow", pass_context=False)
def sweep_escrow(timestamp: int) -> None:
    """Completes every delivered order whose escrow time is over; one that cannot be is tried again with the next sweep."""
    close_old_connections()
    done = failed = 0
    for order_no in lifecycle.escrows_due():
        try:
            done += lifecycle.complete_due(order_no)
        except ChadanError as error:
            failed += 1
            log.warning("order not completed", extra={"order": number.text(order_no), "reason": error.code})
    if done or failed:
        log.info("escrows over", extra={"completed": done, "failed": failed, "at": timestamp})


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
