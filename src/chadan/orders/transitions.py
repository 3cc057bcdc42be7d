"""The order's states and the one function that moves an order from one to the next (DESIGN §3).

A state change writes the order row and appends an event in the caller's transaction. Imports and seeds do not come through
here: they write one `imported` event per order.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chadan.orders import number
from chadan.orders.states import OrderStatus
from chadan.platform.errors import Conflict, NotFound
from chadan.platform.scope import Session

S = OrderStatus
ALLOWED: dict[OrderStatus, frozenset[OrderStatus]] = {
    S.PENDING_PAYMENT: frozenset({S.PAID, S.CANCELLED}),
    S.CANCELLED: frozenset({S.PAID}),  # a late payment: money is never dropped
    S.PAID: frozenset({S.PROCESSING, S.DELIVERED, S.FAILED, S.REFUNDED, S.AFTER_SALE}),
    S.PROCESSING: frozenset({S.DELIVERED, S.FAILED, S.AFTER_SALE}),
    S.FAILED: frozenset({S.PROCESSING, S.REFUNDED, S.AFTER_SALE}),
    S.DELIVERED: frozenset({S.COMPLETED, S.AFTER_SALE}),
    S.COMPLETED: frozenset({S.AFTER_SALE}),
    S.AFTER_SALE: frozenset({S.REFUNDED}),  # and the state before, which the order row remembers
    S.REFUNDED: frozenset(),
}
"""Where an order may go from each state."""

_STAMPS = {
    S.PAID: "paid_at",
    S.DELIVERED: "delivered_at",
    S.COMPLETED: "completed_at",
    S.CANCELLED: "cancelled_at",
    S.REFUNDED: "refunded_at",
}
CHANGEABLE = frozenset(
    {"paid", "refunded", "fee", "cost", "payment_method", "supplier_id", "escrow", "escrow_until", "has_after_sale"}
)
"""Columns a transition may set beside the state."""

_LOCK = """
select status, status_before, amount, paid, refunded, merchant_id, buyer_id, agent_id, parent_order_no, now()
from orders where order_no = %s and home = %s for update
"""
_SEEN = """
select 1 from order_events
where order_no = %s and home = %s and type = %s and biz ->> 'cause' = %s limit 1
"""
_APPLY = """
with moved as (
    update orders set status = %(to)s, status_before = %(before)s, event_seq = event_seq + 1, updated_at = now(){sets}
    where order_no = %(order_no)s and home = %(home)s{unseen}
    returning order_no, home, merchant_id, event_seq, amount, paid, refunded
)
insert into order_events (order_no, home, order_seq, merchant_id, at, type, actor, biz, per, biz_salt, per_salt)
select order_no, home, event_seq, merchant_id, clock_timestamp(), %(type)s, %(actor)s::jsonb,
       %(biz)s::jsonb || jsonb_build_object('amount', {amount}, 'paid', {paid}, 'refunded', {refunded}),
       %(per)s::jsonb, %(biz_salt)s, %(per_salt)s
from moved
"""


_UNSEEN = """
      and not exists (select 1 from order_events where order_no = %(order_no)s and home = %(home)s and type = %(type)s
                                                   and biz ->> 'cause' = %(cause)s)"""


def _as_yuan(column: str) -> str:
    return f"trim(to_char({column} / 100.0, '9999999999999990.00'))"


_APPLY = _APPLY.replace("{amount}", _as_yuan("amount")).replace("{paid}", _as_yuan("paid"))
_APPLY = _APPLY.replace("{refunded}", _as_yuan("refunded"))


class IllegalTransition(Conflict):
    """The order's state does not allow this step."""

    code = "illegal_transition"


@dataclass(frozen=True, slots=True)
class Locked:
    """An order row locked for this transaction. Money is fen; `at` is when the transaction began, by the database's clock."""

    order_no: int
    home: int
    status: OrderStatus
    status_before: OrderStatus | None
    amount: int
    paid: int
    refunded: int
    merchant_id: int
    buyer_id: int
    agent_id: int | None
    parent_order_no: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """What a transition did: `changed` is False when the same cause had moved the order before."""

    changed: bool
    before: OrderStatus
    status: OrderStatus


def lock(session: Session, order_no: int) -> Locked:
    """Locks an order for the rest of the transaction. Raises NotFound when it is not in the session's scope."""
    home = number.split(order_no).home
    rows = session.rows(_LOCK, (order_no, home))
    if not rows:
        raise NotFound("There is no such order.")
    status, before, amount, paid, refunded, merchant_id, buyer_id, agent_id, parent, at = rows[0]
    return Locked(
        *(order_no, home, OrderStatus.of(status), None if before is None else OrderStatus.of(before)),
        *(amount, paid, refunded, merchant_id, buyer_id, agent_id, parent, at),
    )


def may_move(order: Locked, to: OrderStatus) -> bool:
    """Whether the table allows the step; a closed after-sales case returns to the state before it."""
    return to in ALLOWED[order.status] or (order.status is S.AFTER_SALE and to is order.status_before)


def transition(
    session: Session,
    order_no: int,
    to: OrderStatus,
    *,
    actor: Mapping[str, Any],
    reason: str,
    cause: str = "",
    changes: Mapping[str, Any] | None = None,
    biz: Mapping[str, Any] | None = None,
    per: Mapping[str, Any] | None = None,
    locked: Locked | None = None,
) -> Moved:
    """Moves one order to `to` and appends its `order.<to>` event, in the session's transaction.

    `actor` is `events.actor_json(...)` or `events.system(...)`; `reason` is said on the timeline. `cause` names the fact
    behind the step ("payment:<channel>:<txn>"): the same cause a second time changes nothing and is no error. `changes`
    sets columns of CHANGEABLE. `locked` is what `lock` gave in this transaction, nothing having moved it since. Raises NotFound outside the session's scope, IllegalTransition with the reason.
    """
    order = locked or lock(session, order_no)
    unchanged = Moved(changed=False, before=order.status, status=order.status)
    if not may_move(order, to):
        if cause and session.rows(_SEEN, (order.order_no, order.home, f"order.{to}", cause)):
            return unchanged
        raise IllegalTransition(f"An order that is {order.status} cannot become {to}.")
    sets = dict(changes or {})
    if unknown := sets.keys() - CHANGEABLE:
        raise ValueError(f"a transition does not set {', '.join(sorted(unknown))}")
    if to is S.AFTER_SALE:
        sets["has_after_sale"] = True
    stamps = (
        f", {_STAMPS[to]} = now()" if (to in _STAMPS and order.status is not S.AFTER_SALE) or to is S.REFUNDED else ""
    )
    columns = "".join(f", {name} = %({name})s" for name in sets) + stamps
    fact = {
        "order_no": number.text(order_no),
        "status": to,
        "before": order.status,
        "reason": reason,
        **({"cause": cause} if cause else {}),
        **(biz or {}),
    }
    done = session.run(
        _APPLY.replace("{sets}", columns).replace("{unseen}", _UNSEEN if cause else ""),
        {
            **sets,
            "to": to.code,
            "before": order.status.code if to is S.AFTER_SALE else None,
            **({"cause": cause} if cause else {}),
            "order_no": order.order_no,
            "home": order.home,
            "type": f"order.{to}",
            "actor": json.dumps(actor, ensure_ascii=False),
            "biz": json.dumps(fact, ensure_ascii=False),
            "per": json.dumps(per or {}, ensure_ascii=False),
            "biz_salt": secrets.token_bytes(32),
            "per_salt": secrets.token_bytes(32),
        },
    )
    return Moved(changed=True, before=order.status, status=to) if done else unchanged
