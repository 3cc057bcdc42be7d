"""What the machinery leaves behind goes when its time is over; what is younger, under way or an order's stays."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.integration


def rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    from tests.support.paying import owner_rows

    return owner_rows(sql, *params)


def run(sql: str, *params: Any) -> None:
    from tests.support.paying import owner_run

    owner_run(sql, *params)


def job(status: str, days: float) -> int:
    """A job that came to its status so many days ago."""
    (made,) = rows(
        "insert into procrastinate_jobs (queue_name, task_name, status) values ('nobody', 'nothing', 'todo') returning id"
    )
    if status != "todo":
        run("update procrastinate_jobs set status = 'doing' where id = %s", made[0])
    if status not in ("todo", "doing"):
        run("update procrastinate_jobs set status = %s::procrastinate_job_status where id = %s", status, made[0])
    run("update procrastinate_events set at = now() - %s where job_id = %s", timedelta(days=days), made[0])
    return int(made[0])


def test_finished_jobs_go_with_their_events_and_the_others_stay(database: Any) -> None:
    from procrastinate.contrib.django import app

    from chadan.ops import retention

    kept = {
        name: job(*made)
        for name, made in {
            "fresh": ("succeeded", 6.9),
            "failed": ("failed", 29),
            "aborted, fresh": ("aborted", 6),
            "waiting": ("todo", 400),
            "running": ("doing", 400),
        }.items()
    }
    old = [job("succeeded", 7.1), job("failed", 31), job("aborted", 8), job("cancelled", 8)]

    async def forget() -> None:
        with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
            async with worker_app.open_async():
                await retention.forget_jobs(worker_app.job_manager)

    asyncio.run(forget())
    everything = [*kept.values(), *old]
    there = {row[0] for row in rows("select id from procrastinate_jobs where id = any(%s)", everything)}
    assert there == set(kept.values())
    assert rows("select count(*) from procrastinate_events where job_id = any(%s)", old) == [(0,)]
    run("delete from procrastinate_jobs where id = any(%s)", everything)


@pytest.mark.parametrize("table", ["payment_callbacks", "supplier_callbacks"])
def test_raw_callbacks_go_after_their_days(database: Any, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    from chadan.ops import retention
    from chadan.ops.tasks import forget

    monkeypatch.setattr(retention, "BATCH", 3)  # several batches, and the last one not full
    columns = {
        "payment_callbacks": ("channel_id, method, query, body, detail", "1, 'GET', '', '', ''"),
        "supplier_callbacks": ("supplier_id, sealed", "1, ''"),
    }
    names, values = columns[table]
    verdict = f"age-{table}"[:32]
    run(f"delete from {table} where received_at < now() - interval '170 days'")
    for days in (400, 300, 200, 190, 185, 182, 181, 179, 30, 0):
        run(
            f"insert into {table} (home, received_at, remote, headers, verdict, {names})"
            f" values (0, now() - %s, '', '{{}}', %s, {values})",
            timedelta(days=days),
            verdict,
        )
    forget(0)
    left = rows(
        f"select extract(day from now() - received_at)::int from {table} where verdict = %s order by id", verdict
    )
    assert [row[0] for row in left] == [179, 30, 0]
    run(f"delete from {table} where verdict = %s", verdict)


def test_sessions_that_ended_go_and_open_ones_stay(database: Any) -> None:
    from django.test import Client
    from tests.support.people import make_user

    from chadan.ops.tasks import forget

    here, gone = Client(), Client()
    for client in (here, gone):
        client.force_login(make_user("sleeper"))
    over = gone.session.session_key
    run("update django_session set expire_date = now() - interval '1 second' where session_key = %s", over)
    forget(0)
    keys = [here.session.session_key, over]
    assert rows("select session_key from django_session where session_key = any(%s)", keys) == [(keys[0],)]


def test_the_worker_runs_what_forgets(database: Any) -> None:
    from procrastinate.contrib.django import app

    crons = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert crons["ops.forget_jobs"] and crons["ops.forget"]
