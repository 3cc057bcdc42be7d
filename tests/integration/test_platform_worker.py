"""Jobs of a worker that died go on; those of a living one are left alone."""

from __future__ import annotations

import asyncio

import pytest

pytestmark = pytest.mark.integration


def test_only_jobs_of_dead_workers_are_given_back(database):
    from django.db import connections
    from procrastinate.contrib.django import app

    from chadan.platform.worker import HEARTBEAT, STALLED, give_back_stalled

    with connections["owner"].cursor() as cursor:

        def job(heartbeat: float | None) -> int:
            worker = None
            if heartbeat is not None:
                cursor.execute(
                    "insert into procrastinate_workers (last_heartbeat) values (now() - %s * interval '1 second')"
                    " returning id",
                    [heartbeat],
                )
                (worker,) = cursor.fetchone()
            cursor.execute(
                "insert into procrastinate_jobs (queue_name, task_name, status, worker_id)"
                " values ('nobody', 'nothing', 'doing', %s) returning id",
                [worker],
            )
            return cursor.fetchone()[0]

        jobs = {"dead": job(STALLED + 5), "pruned": job(None), "alive": job(HEARTBEAT)}

        async def look() -> None:
            with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
                async with worker_app.open_async():
                    await give_back_stalled(worker_app.job_manager)

        asyncio.run(look())
        cursor.execute("select id, status, attempts from procrastinate_jobs where id = any(%s)", [list(jobs.values())])
        found = {row[0]: row[1:] for row in cursor.fetchall()}
        assert found == {
            jobs["dead"]: ("todo", 1),
            jobs["pruned"]: ("todo", 1),
            jobs["alive"]: ("doing", 0),
        }
        cursor.execute("delete from procrastinate_jobs where id = any(%s)", [list(jobs.values())])
