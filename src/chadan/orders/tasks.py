"""Jobs of the order record."""

from __future__ import annotations

import logging

from django.db import connection
from procrastinate import JobContext
from procrastinate.contrib.django import app

log = logging.getLogger(__name__)
STALLED_SECONDS = 60


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


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="retry_stalled", pass_context=True)
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Gives jobs of a worker that died back to the queue; procrastinate does not do this by itself."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        log.warning("job stalled, retried", extra={"job": job.id, "task": job.task_name, "at": timestamp})
        await manager.retry_job(job)
