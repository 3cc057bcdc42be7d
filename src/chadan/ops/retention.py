"""What the machinery leaves behind, removed when its time is over: finished jobs, raw callbacks, sessions that ended.

Orders and what belongs to them, audit events and the ledger are no machinery: nothing here touches them. Answers to
Idempotency-Keys (`api`), guests' tries (`storefront`) and export files are removed by their own rooms.
"""

from __future__ import annotations

from datetime import timedelta

from procrastinate.manager import JobManager

from chadan.accounts.sessions import SessionStore
from chadan.platform.config import get_config
from chadan.platform.scope import OPERATOR, scoped

BATCH = 5_000
"""Rows a transaction removes: short enough that nobody waits for it."""
CALLBACKS = ("payment_callbacks", "supplier_callbacks")
# Ids grow with time: the oldest rows are found without an index on the time.
_OLDEST = """
delete from {table} where id in (
    select id from (select id, received_at from {table} order by id limit %s) oldest where received_at < now() - %s::interval)
"""


async def forget_jobs(manager: JobManager) -> None:
    """Removes jobs that succeeded CHADAN_JOB_DAYS ago and those that failed CHADAN_FAILED_JOB_DAYS ago, with their events."""
    config = get_config()
    await manager.delete_old_jobs(nb_hours=config.job_days * 24, include_cancelled=True, include_aborted=True)
    await manager.delete_old_jobs(nb_hours=config.failed_job_days * 24, include_failed=True)


def forget_callbacks() -> int:
    """Removes raw callbacks of gateways and suppliers older than CHADAN_CALLBACK_DAYS; returns how many."""
    age = timedelta(days=get_config().callback_days)
    gone = 0
    for table in CALLBACKS:
        while (removed := _remove_oldest(table, age)) > 0:
            gone += removed
    return gone


def forget_sessions() -> None:
    """Removes sessions that ended: Django leaves them in the table."""
    SessionStore.clear_expired()


def _remove_oldest(table: str, age: timedelta) -> int:
    with scoped(OPERATOR) as session:
        return session.run(_OLDEST.format(table=table), (BATCH, age))
