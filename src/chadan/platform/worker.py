"""The worker process: runs the jobs in PostgreSQL's queue, as `python -m chadan.platform.worker`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING

from procrastinate.exceptions import ProcrastinateException

if TYPE_CHECKING:
    from procrastinate.manager import JobManager

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")
# An export's reader thread makes short round trips beside one that renders: waiting 5 ms for its turn at each would leave
# the database idle half the time.
SWITCH_INTERVAL = 0.0005
CONCURRENCY = 2  # exports are CPU-bound: more at once only share a core
HEARTBEAT = 5.0  # seconds between a worker's signs of life
STALLED = 15.0  # seconds without one after which a worker is taken for dead
LOOK_EVERY = 5.0  # seconds between looks for jobs of dead workers
POLL = 0.2  # seconds between looks for jobs: nothing is told when one is deferred (docs/decisions/042)
log = logging.getLogger(__name__)


async def give_back_stalled(manager: JobManager) -> None:
    """Puts jobs of dead workers into the queue again; procrastinate does not do this by itself.

    Two workers that look at once may both give a job back: jobs are idempotent, and a running one holds its own lock.
    """
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
        log.warning("job stalled, retried", extra={"job": job.id, "task": job.task_name})
        try:
            await manager.retry_job(job)
        except ProcrastinateException:  # another worker was faster, or the next of its kind waits: the others go on
            log.warning("stalled job not given back yet", extra={"job": job.id}, exc_info=True)


async def watch_stalled(manager: JobManager) -> None:
    """Looks again and again; in the process, not as a job: a job every few seconds would fill the queue's tables."""
    while True:
        try:
            await give_back_stalled(manager)
        except ProcrastinateException:  # the database is away
            log.warning("stalled jobs not looked for", exc_info=True)
        await asyncio.sleep(LOOK_EVERY)


def main() -> None:
    """Works until SIGTERM; a running job is finished or given back."""
    import django

    sys.setswitchinterval(SWITCH_INTERVAL)
    django.setup()
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.django_connector import DjangoConnector

    connector = app.connector
    assert isinstance(connector, DjangoConnector)  # noqa: S101 - what the Django app always has

    async def work() -> None:
        with app.replace_connector(connector.get_worker_connector()) as worker_app:
            async with worker_app.open_async():
                watching = asyncio.create_task(watch_stalled(worker_app.job_manager))
                try:
                    await worker_app.run_worker_async(
                        name="worker",
                        concurrency=CONCURRENCY,
                        shutdown_graceful_timeout=8,
                        install_signal_handlers=True,
                        listen_notify=False,
                        fetch_job_polling_interval=POLL,
                        update_heartbeat_interval=HEARTBEAT,
                        stalled_worker_timeout=STALLED,
                    )
                finally:
                    watching.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await watching

    asyncio.run(work())


if __name__ == "__main__":
    main()
