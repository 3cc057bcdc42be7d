"""Bringing many orders into a record that is in use: the bottom of every import, under the app role and its policies.

A chunk is one transaction: all of it is there or nothing. Rows go by COPY into temporary tables (row-level security
allows no COPY into the record itself) and from there by one INSERT a table. An order whose source already gave its number
is a duplicate and left alone, so an interrupted import is simply run again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from time import time
from typing import Any

import psycopg
from django.db import IntegrityError, connection

from chadan.orders.lines import COLUMNS, Lines
from chadan.orders.number import PER_SECOND, SHANGHAI, check_digit, floor
from chadan.orders.records import OrderRecord
from chadan.orders.states import RefKind
from chadan.platform.errors import Conflict
from chadan.platform.scope import Scope, Session, scoped

ATTEMPTS = 6
_SOURCE = RefKind.SOURCE.code
_KNOWN = """
select r.home, r.scope_id, r.ref
from unnest(%s::smallint[], %s::bigint[], %s::text[]) as n (home, scope_id, ref)
join external_refs r on r.home = n.home and r.kind = 4 and r.scope_id = n.scope_id and r.ref = n.ref
"""
_TAKEN = "select order_no from orders where order_no = any(%s) and home = any(%s)"
_SECOND = "select order_no from orders where order_no >= %s and order_no < %s and home = %s"
_RETRIED = (psycopg.errors.UniqueViolation, IntegrityError)


@dataclass(slots=True)
class Loaded:
    """What became of a chunk: places (in the given sequence) of its duplicates, and how many orders are new."""

    added: int = 0
    duplicates: list[int] = field(default_factory=list)


class Numbers:
    """Gives out order numbers; a second of a home that is full borrows from the next one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._taken: dict[int, set[int]] = {}

    def allocate(self, wanted: Sequence[tuple[int, int]]) -> list[int]:
        """A new number for each (moment in seconds since 1970, home)."""
        numbers = [self._draw(moment, home) for moment, home in wanted]
        open_places = list(range(len(numbers)))
        while open_places:
            drawn = [numbers[place] for place in open_places]
            homes = sorted({wanted[place][1] for place in open_places})
            rows = self.session.rows(_TAKEN, (drawn, homes))
            taken = {int(row[0]) for row in rows}
            open_places = [place for place in open_places if numbers[place] in taken]
            for base, home in {(_second(numbers[place]), wanted[place][1]) for place in open_places}:
                self._learn(base, home)
            for place in open_places:
                numbers[place] = self._draw(*wanted[place])
        return numbers

    def _draw(self, moment: int, home: int) -> int:
        while True:
            base = floor(datetime.fromtimestamp(moment, SHANGHAI)) // 10 + home * PER_SECOND
            taken = self._taken.setdefault(base, set())
            if len(taken) < PER_SECOND:
                break
            moment += 1
        tail = secrets.randbelow(PER_SECOND)
        while tail in taken:
            tail = (tail + 1) % PER_SECOND
        taken.add(tail)
        return (base + tail) * 10 + check_digit(base + tail)

    def _learn(self, base: int, home: int) -> None:
        """Reads which numbers of this second exist, once a clash has shown that some do."""
        rows = self.session.rows(_SECOND, (base * 10, (base + PER_SECOND) * 10, home))
        self._taken[base].update(int(row[0]) // 10 % PER_SECOND for row in rows)


def _second(number: int) -> int:
    """The first body of the number's second and home."""
    return number // 10 - number // 10 % PER_SECOND


def load_chunk(scope: Scope, records: Sequence[OrderRecord], actor: dict[str, Any]) -> Loaded:
    """Loads records that have no number yet; joins the caller's transaction if there is one.

    Each record names its origin in one `SOURCE` reference. Every order gets an `imported` event by `actor`. Months need
    their partitions before (`ensure_months`). Raises Conflict when somebody else imports the same orders again and again.
    """
    for attempt in range(ATTEMPTS):
        try:
            with scoped(scope) as session:
                return _load(session, records, actor)
        except _RETRIED as error:
            # A number drawn twice, or the same orders from another import: look again. Inside a wider transaction the
            # caller has to begin anew.
            if connection.in_atomic_block or attempt == ATTEMPTS - 1:
                raise Conflict("Other imports took these numbers at the same moment.") from error
    raise AssertionError("unreachable")


def known_numbers(scope: Scope, numbers: Sequence[tuple[int, int, str]]) -> set[tuple[int, int, str]]:
    """Which of the (home, source id, number) are in the record already, as far as `scope` sees."""
    with scoped(scope) as session:
        return _known(session, numbers)


def ensure_months(moments: Iterable[int]) -> None:
    """Makes the partitions of the months in which the moments (seconds since 1970) fall, where missing."""
    months = {datetime.fromtimestamp(moment, SHANGHAI).date().replace(day=1) for moment in moments}
    fresh = sorted(months - _ensured)
    with connection.cursor() as cursor:
        for month in fresh:
            cursor.execute("select ensure_order_partitions(%s, %s)", [month, month])
    # Remembered only outside a transaction that may still fail.
    if not connection.in_atomic_block:
        _ensured.update(fresh)


_ensured: set[date] = set()


def _known(session: Session, numbers: Sequence[tuple[int, int, str]]) -> set[tuple[int, int, str]]:
    columns = list(zip(*numbers, strict=True)) or [(), (), ()]
    rows = session.rows(_KNOWN, [list(column) for column in columns])
    return {(int(row[0]), int(row[1]), str(row[2])) for row in rows}


def _origin(record: OrderRecord) -> tuple[int, int, str]:
    return next((record.home, ref.scope_id, ref.ref) for ref in record.refs if ref.kind == _SOURCE)


def _load(session: Session, records: Sequence[OrderRecord], actor: dict[str, Any]) -> Loaded:
    origins = [_origin(record) for record in records]
    seen = _known(session, origins)
    loaded, fresh = Loaded(), []
    for place, origin in enumerate(origins):
        if origin in seen:
            loaded.duplicates.append(place)
        else:
            seen.add(origin)
            fresh.append(records[place])
    if not fresh:
        return loaded
    numbers = Numbers(session).allocate([(record.placed_at, record.home) for record in fresh])
    lines = Lines(actor, int(time()))
    for number, record in sorted(zip(numbers, fresh, strict=True), key=lambda pair: pair[0]):
        lines.add(record._replace(order_no=number))
    _insert(session, lines.take())
    loaded.added = len(fresh)
    return loaded


def _insert(session: Session, lines: dict[str, str]) -> None:
    session.enter()
    connection = session.connection
    tables = [table for table in COLUMNS if table in lines]
    made = [f"create temp table load_{table} (like {table} including defaults) on commit drop" for table in tables]
    connection.execute(";".join(made))
    for table in tables:
        columns = COLUMNS[table]
        with connection.cursor() as cursor, cursor.copy(f"copy load_{table} ({columns}) from stdin") as copy:
            copy.write(lines[table])
        connection.execute(f"insert into {table} ({columns}) select {columns} from load_{table}")
    connection.execute("drop table " + ", ".join(f"load_{table}" for table in tables))
