"""Brings a database to this version: roles, tables, rights, partitions. Safe to run again and again."""

from __future__ import annotations

import logging
import re

import psycopg
from psycopg import sql

from chadan.platform.config import Address, get_config
from chadan.platform.database import app_address, search_role
from chadan.platform.errors import DatabaseUnavailable

log = logging.getLogger(__name__)
_LOCK = 0x43484144  # "CHAD": one migration at a time

# Events and audit records are written once: nobody, not even the application, changes or removes them.
APPEND_ONLY = ("order_events", "audit_events")
# Positions are the sequencer's alone, which works as the owner; the ledger is written by money/sql/posting.sql, with the owner's rights.
READ_ONLY = ("event_log_head", "event_log_tenants", "ledger_postings", "ledger_entries")


def connect(address: Address) -> psycopg.Connection[tuple[object, ...]]:
    """A plain connection to `address`. Raises DatabaseUnavailable with the server's own reason."""
    try:
        return psycopg.connect(
            host=address.host,
            port=address.port,
            dbname=address.name,
            user=address.user,
            password=address.password,
            autocommit=True,
            **dict(address.options),  # type: ignore[arg-type]
        )
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(
            f"Cannot reach the database {address.name} at {address.host}: {str(error).strip().splitlines()[-1]}",
            hint="Check CHADAN_DATABASE_URL, or run ./chadan doctor.",
        ) from error


def migrate(owner: Address) -> None:
    """Creates the roles, runs Django's migrations as the owner, gives the app role its rights, makes partitions.

    Raises DatabaseUnavailable when the owner lacks a right, naming the statement an administrator has to run.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,50}", owner.name):
        raise DatabaseUnavailable(f"The database name {owner.name!r} must be lower-case letters, digits and _.")
    with connect(owner) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        _roles(connection, owner)
        _run_migrations()
        _rights(connection, owner)
        connection.execute(
            "select ensure_order_partitions((current_date - interval '1 month')::date,"
            " (current_date + interval '3 months')::date)"
        )


def _roles(connection: psycopg.Connection[tuple[object, ...]], owner: Address) -> None:
    app, search = app_address(get_config(), owner), search_role(owner.name)
    existing = {row[0] for row in connection.execute("select rolname from pg_roles")}
    name, password = sql.Identifier(app.user), sql.Literal(app.password)
    try:
        if search not in existing:
            connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(search)))
        if app.user not in existing:
            connection.execute(sql.SQL("create role {} login noinherit password {}").format(name, password))
            connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(search), name))
        else:
            connection.execute(sql.SQL("alter role {} password {}").format(name, password))
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseUnavailable(
            f"The database user {owner.user} may not create the roles {app.user} and {search}.",
            hint=f'Let an administrator run: alter role "{owner.user}" createrole;',
        ) from error


def _run_migrations() -> None:
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    connections["owner"].close()


def _rights(connection: psycopg.Connection[tuple[object, ...]], owner: Address) -> None:
    """The app reaches tables through their parents only: a partition has no policy of its own."""
    app, search = sql.Identifier(app_address(get_config(), owner).user), sql.Identifier(search_role(owner.name))
    tables = connection.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
        " and not relispartition"
    ).fetchall()
    names = sql.SQL(", ").join(sql.Identifier(str(row[0])) for row in tables)
    with connection.transaction():
        connection.execute(sql.SQL("grant usage on schema public to {}, {}").format(app, search))
        connection.execute(sql.SQL("grant select, insert, update, delete on {} to {}").format(names, app))
        connection.execute(sql.SQL("grant usage, select on all sequences in schema public to {}").format(app))
        connection.execute(sql.SQL("grant select on orders, external_refs, product_versions to {}").format(search))
        connection.execute(sql.SQL("grant execute on function ensure_order_partitions to {}").format(app))
        # Read by /readyz: a process of another version must not take requests.
        connection.execute(sql.SQL("revoke insert, update, delete on django_migrations from {}").format(app))
        for table in APPEND_ONLY:
            if any(row[0] == table for row in tables):
                connection.execute(sql.SQL("revoke update, delete on {} from {}").format(sql.Identifier(table), app))
        for table in READ_ONLY:
            if any(row[0] == table for row in tables):
                revoke = sql.SQL("revoke insert, update, delete on {} from {}")
                connection.execute(revoke.format(sql.Identifier(table), app))
