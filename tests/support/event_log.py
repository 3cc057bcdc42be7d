"""Events for tests of the log, written past the order they would belong to."""

from __future__ import annotations

import itertools
import secrets
from datetime import UTC, datetime
from typing import Any

import psycopg

from chadan.orders import number
from chadan.platform.config import Address

_INSERT = """
insert into order_events (order_no, home, order_seq, merchant_id, at, type, actor, biz, per, biz_salt, per_salt)
values (%s, %s, %s, %s, now(), %s, '{}', '{}', '{}', %s, %s)
"""
_MERCHANT = itertools.count(secrets.randbelow(10**9) + 10**9)

_ORDER = itertools.count(secrets.randbelow(10**6))


def merchant() -> int:
    """The id of a merchant nobody has."""
    return next(_MERCHANT)


def new_order() -> int:
    """A number nobody drew: by count, since a random tail would be drawn twice in a second sooner or later."""
    place = next(_ORDER)
    return number.make(datetime.now(UTC), place % 1000, place // 1000 % 10_000)


def connect(owner: Address) -> psycopg.Connection[Any]:
    """An autocommit connection as the owner."""
    return psycopg.connect(
        host=owner.host, port=owner.port, dbname=owner.name, user=owner.user, password=owner.password, autocommit=True
    )


def write(connection: Any, merchant_id: int, order_no: int = 0, seq: int = 1, kind: str = "test.happened") -> int:
    """One event; of a new order unless given. Returns the order's number."""
    order_no = order_no or new_order()
    salt = secrets.token_bytes(32)
    connection.execute(_INSERT, (order_no, number.split(order_no).home, seq, merchant_id, kind, salt, salt))
    return order_no


def head(connection: Any) -> int:
    """The position the next event gets."""
    return int(connection.execute("select next_index from event_log_head").fetchone()[0])


def broken(connection: Any, start: int) -> list[str]:
    """What is wrong with the log from position `start` on; empty when it is contiguous in every way."""
    end = head(connection)
    rows = connection.execute(
        "select leaf_index, merchant_id, tenant_seq, order_no, order_seq from order_events where leaf_index >= %s"
        " order by leaf_index",
        (start,),
    ).fetchall()
    faults = []
    if [row[0] for row in rows] != list(range(start, end)):
        faults.append(f"positions are not {start} to {end}")
    last_of: dict[int, int] = {}
    order_at: dict[int, int] = {}
    for _position, merchant_id, tenant_seq, order_no, order_seq in rows:
        if merchant_id in last_of and tenant_seq != last_of[merchant_id] + 1:
            faults.append(f"merchant {merchant_id} jumps from {last_of[merchant_id]} to {tenant_seq}")
        if order_seq <= order_at.get(order_no, 0):
            faults.append(f"order {order_no} goes back to {order_seq}")
        last_of[merchant_id], order_at[order_no] = tenant_seq, order_seq
    return faults
