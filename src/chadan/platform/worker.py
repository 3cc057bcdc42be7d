"""The worker process: runs the jobs in PostgreSQL's queue, as `python -m chadan.platform.worker`."""

from __future__ import annotations

import asyncio
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")
# An export's reader thread makes short round trips beside one that renders: waiting 5 ms for its turn at each would leave
# the database idle half the time.
SWITCH_INTERVAL = 0.0005
CONCURRENCY = 2  # exports are CPU-bound: more at once only share a core


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
                await worker_app.run_worker_async(
                    name="worker",
                    concurrency=CONCURRENCY,
                    shutdown_graceful_timeout=8,
                    install_signal_handlers=True,
                )

    asyncio.run(work())


if __name__ == "__main__":
    main()
