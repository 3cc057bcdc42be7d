"""The one way to order rows: a transaction that says whose rows may be seen (DESIGN §4).

Every statement about orders runs in `scoped(scope)`. Row-level security reads the three settings made here; the
statements name their merchant or buyer themselves, because policies alone would make every list slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg
from django.db import connections, transaction
from psycopg.adapt import AdaptersMap
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.types.string import TextLoader

_SET = (
    "select set_config('app.merchants', %s, true), set_config('app.buyer', %s, true),"
    " set_config('app.operator', %s, true), set_config('enable_seqscan', 'off', true),"
    # A page is read before a parallel worker has started, and a wrong guess would put every core behind one list.
    " set_config('max_parallel_workers_per_gather', '0', true), set_config('plan_cache_mode', %s, true)"
)


class Matter(StrEnum):
    """An inner matter of a shop: not everybody who sees its orders may see it, or ask about it."""

    COST = "cost"
    SUPPLIER = "supplier"
    TAG = "tag"


INNER = frozenset(Matter)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose orders: the merchants' (with their homes), one buyer's, or, for the platform operator, everybody's.

    `asks` are the inner matters that may be asked about where the orders are the scope's own sales; none, unless given.
    """

    merchants: tuple[int, ...] = ()
    homes: tuple[int, ...] = ()
    buyer: int | None = None
    operator: bool = False
    asks: frozenset[Matter] = frozenset()

    def __post_init__(self) -> None:
        if sum((bool(self.merchants), self.buyer is not None, self.operator)) > 1:
            raise ValueError("a scope is the merchants', a buyer's or the operator's, never two at once")

    def may_ask(self, matter: Matter, view: str | None = None) -> bool:
        """Whether the orders of `view` may be asked about the matter: what an agent bought is another shop's."""
        return matter in self.asks and self.owns(view)

    def owns(self, view: str | None = None) -> bool:
        """Whether the orders of `view` are the scope's own sales, with everything that is written inside the shop."""
        return self.operator or (bool(self.merchants) and view not in ("purchases", "consumer"))


_PLANS = {False: "force_custom_plan", True: "force_generic_plan"}

NOBODY = Scope()
OPERATOR = Scope(operator=True, asks=INNER)


_ADAPTERS = AdaptersMap(psycopg.adapters)
_ADAPTERS.register_loader("jsonb", TextLoader)  # as on Django's own cursors


class RowCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Binds parameters on the server and loads rows in C; Django's own cursor does both in Python."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection)
        self._adapters = _ADAPTERS


def execute(
    connection: psycopg.Connection[Any],
    sql: str,
    params: Sequence[Any] | Mapping[str, Any] = (),
    *,
    prepare: bool | None = None,
) -> RowCursor:
    """Runs one statement on a raw connection. Text is not formatted when there are no parameters.

    `prepare=True` keeps the statement on the connection at once, None when it is repeated; neither behind a pooler, where
    the connection's settings forbid it (platform.database).
    """
    return RowCursor(connection).execute(sql, params, prepare=prepare)


def _has_rows(cursor: RowCursor) -> bool:
    """Like `cursor.description`, which would describe every column."""
    return cursor.pgresult is not None and cursor.pgresult.status == ExecStatus.TUPLES_OK


@dataclass(slots=True)
class Session:
    """Runs statements inside a scoped transaction."""

    scope: Scope
    connection: psycopg.Connection[tuple[Any, ...]]
    role: str
    keyed: bool = False
    _entered: bool = False

    def rows(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, search: bool = False
    ) -> list[tuple[Any, ...]]:
        """All rows of `sql`; `search=True` runs it as the search role, whose trigram and tag indexes work."""
        return self.many([(sql, params)], search=search)[0]

    def many(
        self, statements: Sequence[tuple[str, Sequence[Any] | Mapping[str, Any]]], *, search: bool = False
    ) -> list[list[tuple[Any, ...]]]:
        """The rows of each statement, sent together in one round trip."""
        with self.connection.pipeline():
            self.enter()
            if search:
                self.connection.execute(f'set local role "{self.role}"')
            cursors = [execute(self.connection, sql, params, prepare=self.keyed or None) for sql, params in statements]
            if search:  # what follows in this transaction, the ORM included, is the application again
                self.connection.execute("reset role")
        return [cursor.fetchall() if _has_rows(cursor) else [] for cursor in cursors]

    def run(self, sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Executes a statement and returns how many rows it touched."""
        with self.connection.pipeline():
            self.enter()
            cursor = execute(self.connection, sql, params, prepare=self.keyed or None)
        return cursor.rowcount

    def enter(self) -> None:
        """Makes the settings, once, in the same round trip as the first statement."""
        if not self._entered:
            execute(self.connection, _SET, (*_settings(self.scope), _PLANS[self.keyed]), prepare=True)
            self._entered = True

    def leave(self, before: tuple[Scope, bool] | None) -> None:
        """Gives the transaction back to the scope around this one."""
        # A failed statement has aborted the transaction: its end, or its savepoint's, restores the settings.
        healthy = self.connection.info.transaction_status != TransactionStatus.INERROR
        if self._entered and before is not None and healthy:
            scope, keyed = before
            execute(self.connection, _SET, (*_settings(scope), _PLANS[keyed]))


@contextmanager
def scoped(scope: Scope, using: str = "default", *, keyed: bool = False) -> Iterator[Session]:
    """Opens (or joins) a transaction on Django's connection that sees `scope`'s rows and nobody else's.

    `keyed` promises that every statement finds its rows by key: its plan is then made once a connection. For a list such a
    plan is 3 times slower, for one order planning each time is the slower half of the work.

    The settings end with the transaction, so a reused connection carries nothing over. A nested scope gives the
    transaction back to the outer one.
    """
    wrapper = connections[using]
    with transaction.atomic(using=using, savepoint=False):
        wrapper.ensure_connection()
        raw: psycopg.Connection[tuple[Any, ...]] = wrapper.connection
        session = Session(scope, raw, f"{wrapper.settings_dict['NAME']}_search", keyed)
        before = _current.get(id(raw))
        _current[id(raw)] = (scope, keyed)
        try:
            yield session
        finally:
            session.leave(before)
            if before is None:
                del _current[id(raw)]
            else:
                _current[id(raw)] = before


_current: dict[int, tuple[Scope, bool]] = {}


def _settings(scope: Scope) -> tuple[str, str, str]:
    merchants = "{" + ",".join(map(str, scope.merchants)) + "}" if scope.merchants else ""
    return merchants, "" if scope.buyer is None else str(scope.buyer), "on" if scope.operator else ""
