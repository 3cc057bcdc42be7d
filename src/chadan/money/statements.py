"""Statements (商户流水): what an account held, what came and went, day by day and posting by posting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from chadan.money.accounts import AccountKind, shown
from chadan.money.balances import balance
from chadan.orders import number
from chadan.platform.errors import NotFound
from chadan.platform.scope import Session

PAGE = 100
CHUNK = 2000

_ACCOUNT = """
select id from ledger_accounts where merchant_id = %(merchant_id)s and kind = %(kind)s and owner_id = %(owner_id)s
  and currency = 'CNY'
"""
_DAYS = """
select (at at time zone 'Asia/Shanghai')::date, coalesce(-sum(amount) filter (where amount < 0), 0)::bigint,
       coalesce(sum(amount) filter (where amount > 0), 0)::bigint, count(*)
from ledger_entries where account_id = %(account)s and at >= %(start)s and at < %(end)s
group by 1 order by 1
"""
_LINES = """
select e.posting_id, e.at, p.kind, p.order_no, p.memo, e.amount
from ledger_entries e join ledger_postings p on p.id = e.posting_id and p.home = e.home
where e.account_id = %(account)s and e.at >= %(start)s and e.at < %(end)s
  and (%(after)s::bigint is null or (e.at, e.posting_id) > (
      select at, id from ledger_postings where id = %(after)s::bigint))
order by e.at, e.posting_id limit %(limit)s
"""
_NEWEST = """
select e.posting_id, e.at, p.kind, p.order_no, p.memo, e.amount
from ledger_entries e join ledger_postings p on p.id = e.posting_id and p.home = e.home
where e.account_id = %(account)s and (%(before)s::bigint is null or (e.at, e.posting_id) < (
      select at, id from ledger_postings where id = %(before)s::bigint))
order by e.at desc, e.posting_id desc limit %(limit)s
"""
_POSTING = """
select id, merchant_id, at, kind, cause, amount, order_no, actor, memo from ledger_postings where id = %(posting)s
"""
_LEGS = """
select a.kind, a.owner_id, e.amount from ledger_entries e
join ledger_accounts a on a.id = e.account_id and a.home = e.home
where e.posting_id = %(posting)s order by e.amount < 0, a.kind
"""


@dataclass(frozen=True, slots=True)
class Account:
    """Which account a statement is about."""

    merchant_id: int
    kind: AccountKind
    owner_id: int = 0

    def key(self) -> dict[str, int]:
        """As parameters."""
        return {"merchant_id": self.merchant_id, "kind": int(self.kind), "owner_id": self.owner_id}


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a statement. Fen; `incoming` and `outgoing` are positive."""

    day: date
    opening: int
    incoming: int
    outgoing: int
    postings: int

    @property
    def closing(self) -> int:
        """What the account held at the day's end."""
        return self.opening + self.incoming - self.outgoing


@dataclass(frozen=True, slots=True)
class Line:
    """One posting as it moved the account; `amount` (fen) is positive where the balance grew."""

    posting_id: int
    at: datetime
    kind: str
    order_no: int | None
    memo: str
    amount: int


@dataclass(frozen=True, slots=True)
class Posting:
    """A posting with all its legs: (account kind, owner, fen as booked, debits positive)."""

    posting_id: int
    merchant_id: int
    at: datetime
    kind: str
    cause: str
    amount: int
    order_no: int | None
    actor: dict[str, Any]
    memo: str
    legs: list[tuple[AccountKind, int, int]]


def start_of(day: date) -> datetime:
    """The day's first moment, Asia/Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=number.SHANGHAI)


def days(session: Session, account: Account, first: date, last: date) -> list[Day]:
    """The days from `first` to `last` (included) on which something moved, oldest first."""
    start, end = start_of(first), start_of(last) + timedelta(days=1)
    held = balance(session, account.merchant_id, account.kind, account.owner_id, until=start)
    statement: list[Day] = []
    for day, credited, debited, postings in _about(session, _DAYS, account, start=start, end=end):
        incoming, outgoing = (credited, debited) if shown(account.kind, -1) > 0 else (debited, credited)
        statement.append(Day(day, held, incoming, outgoing, postings))
        held = statement[-1].closing
    return statement


def lines(
    session: Session, account: Account, start: datetime, end: datetime, *, after: int | None = None, limit: int = PAGE
) -> list[Line]:
    """Postings that moved the account in [start, end), oldest first, behind the posting `after`."""
    rows = _about(session, _LINES, account, start=start, end=end, after=after, limit=limit)
    return [_line(account, row) for row in rows]


def newest(session: Session, account: Account, *, before: int | None = None, limit: int = PAGE) -> list[Line]:
    """The newest postings that moved the account, older than the posting `before`."""
    return [_line(account, row) for row in _about(session, _NEWEST, account, before=before, limit=limit)]


def whole(session: Session, account: Account, start: datetime, end: datetime) -> Iterator[list[Line]]:
    """Every posting of [start, end), in chunks."""
    after: int | None = None
    while chunk := lines(session, account, start, end, after=after, limit=CHUNK):
        yield chunk
        after = chunk[-1].posting_id


def posting(session: Session, posting_id: int) -> Posting:
    """One posting. Raises NotFound when it is not in the session's scope."""
    rows, legs = session.many([(_POSTING, {"posting": posting_id}), (_LEGS, {"posting": posting_id})])
    if not rows:
        raise NotFound(_("There is no such posting."))
    number_, merchant_id, at, kind, cause, amount, order_no, actor, memo = rows[0]
    who = json.loads(actor) if isinstance(actor, str) else actor
    known = [(AccountKind(account), owner, fen) for account, owner, fen in legs]
    return Posting(number_, merchant_id, at, kind, cause, amount, order_no, who, memo, known)


def _about(session: Session, sql: str, account: Account, **values: Any) -> list[tuple[Any, ...]]:
    found = session.rows(_ACCOUNT, account.key())
    return session.rows(sql, {"account": found[0][0], **values}) if found else []


def _line(account: Account, row: tuple[Any, ...]) -> Line:
    posting_id, at, kind, order_no, memo, amount = row
    return Line(posting_id, at, kind, order_no, memo, shown(account.kind, amount))
