"""A million orders in a database of their own: twenty thousand seeded ones, each multiplied by SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from chadan.bench.sites import Site, running

SEEDED = 20_000
COPIES = 49
_NUMBER = "o.order_no / 100000 * 100000 + (o.order_no / 10 % 10000 + g * 197) % 10000 * 10 + (o.order_no + g) % 10"
_ACCOUNT = (
    "case when o.account ~ '^[0-9]{11}$' then left(o.account, 3) || lpad((hashint8(o.order_no + g) & 67108863)::text, 8, '0')"
    " else o.account || g end"
)


@contextmanager
def million() -> Iterator[Site]:
    """The site; Django (set up by the `database` fixture) is pointed at it for the length of the block."""
    from django.db import connections

    before = connections["default"]
    try:
        with running(SEEDED, first=False) as site:
            with site.bare() as owner:
                _multiply(owner)
            yield site
    finally:
        connections["default"] = before


def _multiply(owner: psycopg.Connection[tuple[object, ...]]) -> None:
    owner.execute("set synchronous_commit = off")
    owner.execute("set maintenance_work_mem = '256MB'")
    rows = owner.execute(
        "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index"
        " where indrelid = 'orders'::regclass and not indisprimary"
    ).fetchall()
    names = owner.execute(
        "select attname from pg_attribute where attrelid = 'orders'::regclass and attnum > 0 and not attisdropped"
    ).fetchall()
    columns = [str(name) for (name,) in names]
    given = {"order_no": _NUMBER, "account": _ACCOUNT}
    values = ", ".join(given.get(name, f"o.{name}") for name in columns)
    with owner.transaction():
        for name, _definition in rows:
            owner.execute(f"drop index {name}")
        owner.execute(
            f"insert into orders ({', '.join(columns)}) select {values} from orders o, generate_series(1, {COPIES}) g"
            " on conflict do nothing"
        )
        for _name, definition in rows:
            owner.execute(str(definition).replace(" ON ONLY ", " ON "))
    owner.execute("analyze orders")
