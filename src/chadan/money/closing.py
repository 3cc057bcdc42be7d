"""Closing a day: from then on it takes no postings, and what every account held at its end is written down.

Balances then add up one number and the entries since. A posting counts for the day it says, so the sum may only be taken when
nobody can still add to that day: the day is closed first (ledger_post moves later postings behind it), then everybody who was
writing at that moment is waited for.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import connection

from chadan.orders import number
from chadan.platform.scope import OPERATOR, Session, scoped

log = logging.getLogger(__name__)
AFTER_MIDNIGHT = timedelta(minutes=5)
WAIT_SECONDS = 20.0

_ANNOUNCE = "insert into ledger_closings (through) values (%s) on conflict do nothing"
_NEWEST = "select through, summed_at from ledger_closings order by through desc limit 1"
_WRITERS = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_OLDEST_WRITER = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_TO_SUM = "select through from ledger_closings where summed_at is null order by through for update"
_SUM = """
with before as (
    select coalesce(max(through), '-infinity') as through from ledger_closings where summed_at is not null
), moved as (
    select account_id, home, merchant_id, buyer_id, agent_id, sum(amount)::bigint as amount
    from ledger_entries where at >= (select through from before) and at < %(through)s
    group by 1, 2, 3, 4, 5
)
insert into ledger_snapshots (account_id, home, merchant_id, buyer_id, agent_id, through, balance)
select account_id, home, merchant_id, buyer_id, agent_id, %(through)s, amount + coalesce((
    select s.balance from ledger_snapshots s where s.account_id = moved.account_id and s.home = moved.home
    order by s.through desc limit 1), 0)
from moved
"""
_SUMMED = """
update ledger_closings set summed_at = now(), totals = coalesce((
    select jsonb_object_agg(kind, balance) from (
        select a.kind, sum(s.balance)::bigint as balance
        from (select distinct on (account_id, home) account_id, home, balance from ledger_snapshots
              order by account_id, home, through desc) s
        join ledger_accounts a on a.id = s.account_id and a.home = s.home group by 1) by_kind), '{}')
where through = %(through)s
"""


def day_start(moment: datetime) -> datetime:
    """The midnight (Asia/Shanghai) before `moment`."""
    return moment.astimezone(number.SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def close_days(now: datetime | None = None) -> bool:
    """Closes everything before today; True when the newest closed day is summed up. Runs outside a transaction."""
    moment = now or number.now()
    through = day_start(moment - AFTER_MIDNIGHT)
    with scoped(OPERATOR) as session:
        newest = session.rows(_NEWEST)
        if newest and newest[0][0] >= through and newest[0][1] is not None:
            return True
        if not newest or newest[0][0] < through:
            session.run(_ANNOUNCE, (through,))
    if not _writers_gone():
        log.warning("a day waits for writers", extra={"through": through.isoformat()})
        return False
    with scoped(OPERATOR) as session:
        return sum_up(session)


def sum_up(session: Session) -> bool:
    """Writes down what every account held at the end of each closed day that has no sums yet."""
    for (through,) in session.rows(_TO_SUM):
        rows = session.run(_SUM, {"through": through})
        session.run(_SUMMED, {"through": through})
        log.info("day closed", extra={"through": through.isoformat(), "accounts": rows})
    return True


def _writers_gone() -> bool:
    """Waits until every transaction that was writing has ended."""
    deadline = time.monotonic() + WAIT_SECONDS
    writers = _number(_WRITERS)
    while _number(_OLDEST_WRITER) < writers:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _number(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return int(row[0]) if row else 0
