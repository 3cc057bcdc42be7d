"""Records the SQL that services, pages and the API send, and plays it back through plain psycopg.

What is measured against "the same SQL" is therefore what the product really sends: transactions, settings, look-ups and all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus

Connection = psycopg.Connection[tuple[Any, ...]]
Statement = tuple[str, Any]


@dataclass(slots=True)
class Tape:
    """Round trips; each is the statements sent together."""

    trips: list[list[Statement]] = field(default_factory=list)
    rows: int = 0
    """What the caller noted about the answer."""

    @property
    def statements(self) -> int:
        """How many statements there are, begin and commit included."""
        return sum(map(len, self.trips))


@contextmanager
def recording() -> Iterator[Tape]:
    """Everything psycopg is asked to execute in this process within the block, on whatever connection."""
    tape, patched = Tape(), _Patch()
    patched.put(psycopg.Cursor, "execute", lambda run: _executing(tape, run))
    patched.put(psycopg.Connection, "pipeline", lambda run: _pipelining(tape, run))
    patched.put(psycopg.Connection, "commit", lambda run: _ending(tape, run, "commit"))
    patched.put(psycopg.Connection, "rollback", lambda run: _ending(tape, run, "rollback"))
    try:
        yield tape
    finally:
        patched.undo()


class _Patch:
    def __init__(self) -> None:
        self.before: list[tuple[type, str, Any]] = []

    def put(self, owner: type, name: str, wrap: Callable[[Any], Any]) -> None:
        self.before.append((owner, name, getattr(owner, name)))
        setattr(owner, name, wrap(getattr(owner, name)))

    def undo(self) -> None:
        for owner, name, value in self.before:
            setattr(owner, name, value)


_open: set[int] = set()
_together: set[int] = set()


def _executing(tape: Tape, run: Callable[..., Any]) -> Callable[..., Any]:
    def execute(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        connection = self.connection
        statement = _plain(self, query, params)
        sent = [statement]
        if not connection.autocommit and not _in_transaction(connection):
            sent.insert(0, ("begin", None))
            _open.add(id(connection))
        if id(connection) in _together and tape.trips:
            tape.trips[-1].extend(sent)
        else:
            tape.trips.append(sent)
        return run(self, query, params, **options)

    return execute


def _plain(cursor: Any, query: Any, params: Any) -> Statement:
    """Django's own cursors merge parameters into the text, so that is what is sent."""
    if isinstance(cursor, psycopg.ClientCursor):
        return psycopg.ClientCursor(cursor.connection).mogrify(query, params), None
    text = query if isinstance(query, str) else query.decode() if isinstance(query, bytes) else query.as_string(cursor)
    return text, params or None


def _in_transaction(connection: Any) -> bool:
    if id(connection) in _open:
        return True
    return bool(connection.info.transaction_status != TransactionStatus.IDLE)


def _pipelining(tape: Tape, run: Callable[..., Any]) -> Callable[..., Any]:
    @contextmanager
    def pipeline(self: Any) -> Iterator[Any]:
        outer = id(self) in _together
        if not outer:
            tape.trips.append([])
            _together.add(id(self))
        try:
            with run(self) as opened:
                yield opened
        finally:
            if not outer:
                _together.discard(id(self))

    return pipeline


def _ending(tape: Tape, run: Callable[..., Any], word: str) -> Callable[..., Any]:
    def end(self: Any) -> Any:
        if id(self) in _open or self.info.transaction_status != TransactionStatus.IDLE:
            tape.trips.append([(word, None)])
        _open.discard(id(self))
        return run(self)

    return end


def play(connection: Connection, tape: Tape) -> None:
    """Sends the tape's statements in its round trips and reads every row; `connection` is in autocommit mode."""
    for trip in tape.trips:
        if len(trip) == 1:
            sql, params = trip[0]
            _read(connection.execute(sql, params))
        else:
            with connection.pipeline():
                cursors = [connection.execute(sql, params) for sql, params in trip]
            for cursor in cursors:
                _read(cursor)


def _read(cursor: psycopg.Cursor[tuple[Any, ...]]) -> None:
    if cursor.pgresult is not None and cursor.pgresult.status == ExecStatus.TUPLES_OK:
        cursor.fetchall()
