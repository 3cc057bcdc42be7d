"""Order events: append-only, in the shape the proof needs (DESIGN §4, trust model §1)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from chadan.accounts.actors import Actor
from chadan.orders import number
from chadan.platform.errors import NotFound
from chadan.platform.scope import Session

_APPEND = """
with numbered as (
    update orders set event_seq = event_seq + 1, updated_at = now()
    where order_no = %(order_no)s and home = %(home)s
    returning order_no, home, merchant_id, event_seq
)
insert into order_events (order_no, home, order_seq, merchant_id, at, type, actor, biz, per, biz_salt, per_salt)
select order_no, home, event_seq, merchant_id, clock_timestamp(), %(type)s, %(actor)s::jsonb, %(biz)s::jsonb,
       %(per)s::jsonb, %(biz_salt)s, %(per_salt)s
from numbered
"""
_APPEND_MANY = """
with given as (
    select * from unnest(%(numbers)s::bigint[], %(biz_salts)b::bytea[], %(per_salts)b::bytea[])
                  g (order_no, biz_salt, per_salt)
), numbered as (
    update orders set event_seq = event_seq + 1, updated_at = now()
    where order_no = any(%(numbers)s::bigint[]) and home = %(home)s
    returning order_no, home, merchant_id, event_seq
)
insert into order_events (order_no, home, order_seq, merchant_id, at, type, actor, biz, per, biz_salt, per_salt)
select order_no, home, event_seq, merchant_id, clock_timestamp(), %(type)s, %(actor)s::jsonb,
       jsonb_build_object('order_no', lpad(order_no::text, 19, '0')) || %(biz)s::jsonb, %(per)s::jsonb, biz_salt, per_salt
from numbered join given using (order_no)
returning order_no, order_seq
"""


def actor_json(actor: Actor) -> dict[str, Any]:
    """How an event names who did it. A guest is nobody by name (orders.guest)."""
    if actor.kind == "guest":
        return {"kind": "guest", "role": "", "id": None, "name": ""}
    return {"kind": actor.kind, "role": actor.role, "id": actor.user_id, "name": actor.name}


def system(name: str) -> dict[str, Any]:
    """The actor of what Chadan does by itself: `name` is the part that acts, such as "payments"."""
    return {"kind": "system", "role": "", "id": None, "name": name}


def append(  # noqa: PLR0917 - an event has six parts
    session: Session,
    order_no: int,
    event_type: str,
    actor: Mapping[str, Any],
    biz: Mapping[str, Any],
    per: Mapping[str, Any] | None = None,
) -> None:
    """Appends one event to an order inside the session's transaction; the order row gives it its place.

    `biz` is business data (order number, amounts in fen, states, numbers), `per` personal data that may have to be
    erased one day; each gets a fresh 32-byte salt. Raises NotFound when the order is not in the session's scope.
    """
    done = session.run(
        _APPEND,
        {
            "order_no": order_no,
            "home": number.split(order_no).home,
            "type": event_type,
            "actor": json.dumps(actor, ensure_ascii=False),
            "biz": json.dumps({"order_no": number.text(order_no), **biz}, ensure_ascii=False),
            "per": json.dumps(per or {}, ensure_ascii=False),
            "biz_salt": secrets.token_bytes(32),
            "per_salt": secrets.token_bytes(32),
        },
    )
    if done != 1:
        raise NotFound("There is no such order.")


def append_many(  # noqa: PLR0917 - an event has six parts
    session: Session,
    home: int,
    order_nos: Sequence[int],
    event_type: str,
    actor: Mapping[str, Any],
    biz: Mapping[str, Any],
    per: Mapping[str, Any] | None = None,
) -> dict[int, int]:
    """`append` for many orders of one home that were locked before, alike but for number and salts, in one statement.

    Returns the event's place on each order; numbers that are not in the session's scope are left out.
    """
    if not order_nos:
        return {}
    rows = session.rows(
        _APPEND_MANY,
        {
            "numbers": list(order_nos),
            "home": home,
            "type": event_type,
            "actor": json.dumps(actor, ensure_ascii=False),
            "biz": json.dumps(biz, ensure_ascii=False),
            "per": json.dumps(per or {}, ensure_ascii=False),
            "biz_salts": [secrets.token_bytes(32) for _number in order_nos],
            "per_salts": [secrets.token_bytes(32) for _number in order_nos],
        },
    )
    return dict(rows)
