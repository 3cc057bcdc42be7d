"""The worker process: runs the jobs in PostgreSQL's queue, as `python -m chadan.platform.worker`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")
# An export's reader thread makes short round trips beside one that renders: waiting 5 ms for its turn at each would leave
# the database idle half the time.
SWITCH_INTERVAL = 0.0005
CONCURRENCY = 2  # exports are CPU-bound: more at once only share a core
STALLED_SECONDS = 30.0
"""A worker whose heart, which beats every 10 seconds, has been still for so long is dead."""
LOOK_EVERY = 10.0
log = logging.getLogger(__name__)


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
                heir = asyncio.create_task(_inherit(worker_app))
                try:
                    await worker_app.run_worker_async(
                        name="worker",
                        concurrency=CONCURRENCY,
                        shutdown_graceful_timeout=8,
                        install_signal_handlers=True,
                    )
                finally:
                    heir.cancel()

    asyncio.run(work())


async def _inherit(app: Any) -> None:
    """Gives dead workers' jobs back, as long as this one lives. Not a job itself: it works while every place is taken."""
    from procrastinate.exceptions import ConnectorException

    while True:
        try:
            await give_back_stalled(app.job_manager)
        except ConnectorException as error:  # the worker itself meets the same database, and ends if it has to
            log.warning("stalled jobs not looked at: %s", error)
        await asyncio.sleep(LOOK_EVERY)


async def give_back_stalled(manager: Any) -> int:
    """Gives jobs of workers that died back to the queue, and returns how many; procrastinate does not do this by itself."""
    from procrastinate.exceptions import ConnectorException

    given = 0
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        try:
            await manager.retry_job(job)
        except ConnectorException:  # another worker was quicker
            continue
        log.warning("job of a dead worker given back", extra={"job": job.id, "task": job.task_name})
        given += 1
    return given


if __name__ == "__main__":
    main()
