"""Filling an empty order record at COPY speed, as the owner: seeds of thousands to tens of millions of orders.

Each month's tables are made beside the record, filled while they have no index, indexed, and attached in one short
transaction at the end. A load that is killed leaves tables named `…_loading`, which the next one drops, and an empty record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import psycopg

from chadan.orders.lines import COLUMNS, OWNED
from chadan.platform.errors import Conflict

Connection = psycopg.Connection[tuple[object, ...]]
LOADING = "_loading"
_LOCK = 0x43485345  # one bulk load at a time
_MEMORY = "set maintenance_work_mem = '512MB'"


def copy_lines(connection: Connection, lines: Mapping[str, str], suffix: str = "", options: str = "") -> None:
    """Copies lines by table (orders first) into `<table><suffix>`, in the caller's transaction."""
    with connection.cursor() as cursor:
        for table, columns in COLUMNS.items():
            if table in lines:
                with cursor.copy(f"copy {table}{suffix} ({columns}) from stdin {options}") as copy:
                    copy.write(lines[table])


class BulkLoad:
    """One load of an empty record: `begin`, any number of `fill_month` in any process, `finish`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def begin(self, months: Iterable[date]) -> None:
        """Clears the place of every month. Raises Conflict when the record holds orders or another load runs."""
        connection = self.connection
        row = connection.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if not row or not row[0]:
            raise Conflict("Another seed is filling this database.", hint="Wait until it is done.")
        if not is_empty(connection):
            raise Conflict("The order record is not empty.", hint="A seed fills a new database only.")
        with connection.transaction():
            for name in _leftovers(connection):
                connection.execute(f'drop table "{name}"')
            for month in months:
                for table in OWNED:
                    connection.execute(f"drop table if exists {partition(table, month)}")
            # Unlogged: it is only a way station, and a crash starts the load anew.
            connection.execute(f"create unlogged table external_refs{LOADING} (like external_refs including defaults)")

    def finish(self, months: Iterable[date]) -> None:
        """Attaches the months, moves the outside numbers, refreshes statistics."""
        connection = self.connection
        connection.execute(_MEMORY)
        with connection.transaction():
            for month in months:
                for table in OWNED:
                    _attach(connection, table, month)
                connection.execute("select describe_orders(%s::regclass)", (partition("orders", month),))
                # What a load brings nothing of, an old order may still come to own: a refund above all.
                connection.execute("select ensure_order_partitions(%s, %s)", (month, month))
            _adopt_references(connection)
        connection.execute(
            "select ensure_order_partitions((current_date - interval '1 month')::date,"
            " (current_date + interval '3 months')::date)"
        )
        for table in COLUMNS:
            connection.execute(f"analyze {table}")
        connection.execute("select pg_advisory_unlock(%s)", (_LOCK,))


def is_empty(connection: Connection) -> bool:
    """Whether the record holds no order at all."""
    return connection.execute("select 1 from orders limit 1").fetchone() is None


def fill_month(connection: Connection, month: date, batches: Iterable[Mapping[str, str]]) -> Iterator[None]:
    """Loads one month's batches of lines in one transaction, then indexes it; yields after every batch."""
    connection.execute(_MEMORY)
    suffix = f"_{month:%y%m}{LOADING}"
    with connection.transaction():
        for table in OWNED:
            low, high = _bounds(month)
            connection.execute(
                f"create table {table}{suffix} (like {table} including defaults including constraints,"
                f" constraint month check (order_no >= {low} and order_no < {high}))"
            )
        for lines in batches:
            owned = {table: text for table, text in lines.items() if table in OWNED}
            # FREEZE: rows are visible to all at once and never rewritten by a vacuum.
            with connection.cursor() as cursor:
                for table, text in owned.items():
                    with cursor.copy(f"copy {table}{suffix} ({COLUMNS[table]}) from stdin (freeze)") as copy:
                        copy.write(text)
            if "external_refs" in lines:
                copy_lines(connection, {"external_refs": lines["external_refs"]}, LOADING)
            yield
        for table in OWNED:
            for statement in _indexes(connection, table, f"{table}{suffix}", partition(table, month)):
                connection.execute(statement)


def partition(table: str, month: date) -> str:
    """The name of a month's partition."""
    return f"{table}_{month:%y%m}"


def _bounds(month: date) -> tuple[int, int]:
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return int(f"{month:%y%m}") * 10**15, int(f"{following:%y%m}") * 10**15


def _leftovers(connection: Connection) -> list[str]:
    rows = connection.execute(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        " and relname like %s",
        ("%\\" + LOADING,),
    )
    return [str(row[0]) for row in rows]


def _indexes(connection: Connection, parent: str, table: str, name: str) -> list[str]:
    """The statements that give `table` the primary key and indexes of `parent`, named after `name`."""
    rows = connection.execute(
        "select pg_get_indexdef(indexrelid), indisprimary from pg_index where indrelid = %s::regclass order by 1",
        (parent,),
    ).fetchall()
    statements = []
    for definition, primary in rows:
        found = re.fullmatch(r"CREATE (UNIQUE )?INDEX (\S+) ON (?:ONLY )?(\S+) (USING .*)", str(definition))
        if found is None:
            raise RuntimeError(f"unreadable index definition: {definition}")
        own = name + found[2].removeprefix(parent)
        if primary:
            columns = found[4].removeprefix("USING btree ")
            statements.append(f"alter table {table} add constraint {own} primary key {columns}")
        else:
            statements.append(f"create {found[1] or ''}index {own} on {table} {found[4]}")
    return statements


def _attach(connection: Connection, table: str, month: date) -> None:
    name = partition(table, month)
    low, high = _bounds(month)
    connection.execute(f"alter table {name}{LOADING} rename to {name}")
    connection.execute(f"alter table {table} attach partition {name} for values from ({low}) to ({high})")
    connection.execute(f"alter table {name} drop constraint month")


def _adopt_references(connection: Connection) -> None:
    """One table, so its indexes go and come back inside the transaction: a killed load changes nothing."""
    rebuild = _indexes(connection, "external_refs", "external_refs", "external_refs")
    rows = connection.execute(
        "select indexrelid::regclass::text, indisprimary from pg_index where indrelid = 'external_refs'::regclass"
    ).fetchall()
    for name, primary in rows:
        connection.execute(f"alter table external_refs drop constraint {name}" if primary else f"drop index {name}")
    columns = COLUMNS["external_refs"]
    connection.execute(f"insert into external_refs ({columns}) select {columns} from external_refs{LOADING}")
    connection.execute(f"drop table external_refs{LOADING}")
    for statement in rebuild:
        connection.execute(statement)
