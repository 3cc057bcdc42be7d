"""Jobs of the order record."""

from __future__ import annotations

import logging

from django.db import connection
from procrastinate.contrib.django import app

log = logging.getLogger(__name__)


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
