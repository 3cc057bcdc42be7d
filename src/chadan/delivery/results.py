"""What a delivery came to: the order's cards, its delivery row, its state, the escrow and the job that ends it.

Every way of delivering (stock, supplier, upstream shop, staff) ends here, in the caller's transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from procrastinate.contrib.django import app

from chadan.delivery import rows
from chadan.orders.states import DeliveryKind, DeliveryStatus, Escrow, OrderStatus
from chadan.orders.transitions import Locked, lock, transition
from chadan.orders.vault import Vault
from chadan.platform.config import get_config
from chadan.platform.scope import Session

_WRITE = """
insert into order_cards (order_no, home, line, merchant_id, card_id, key_id, secret, blind, hint)
select %(order_no)s, %(home)s,
       (select coalesce(max(line), 0) from order_cards where order_no = %(order_no)s and home = %(home)s) + c.place,
       %(merchant_id)s, c.card_id, %(key_id)s, c.secret, c.blind, c.hint
from unnest(%(card_ids)b::uuid[], %(secrets)b::bytea[], %(blinds)b::bytea[], %(hints)b::text[]) with ordinality
     as c (card_id, secret, blind, hint, place)
"""


def delivered(
    session: Session,
    order_no: int,
    *,
    cards: Sequence[str] = (),
    actor: Mapping[str, Any],
    reason: str,
    cause: str,
    cost: int | None = None,
) -> bool:
    """Moves the order to delivered, its money held until the escrow ends: then a sweep completes it (orders.tasks).

    `cards` are texts to seal for the order; cards claimed from stock are its own already. `cost` is what all of it cost, fen.
    False when the same cause had delivered it before: nothing is written then. Raises IllegalTransition and NotFound as
    `transitions.transition`.
    """
    order = lock(session, order_no)
    kind = rows.kind_of(session, order_no)
    if not settle(session, order, kind, actor=actor, reason=reason, cause=cause, cost=cost, cards=len(cards)):
        return False
    if cards:
        write_cards(session, order, cards)
    return True


def settle(
    session: Session,
    order: Locked,
    kind: DeliveryKind,
    *,
    actor: Mapping[str, Any],
    reason: str,
    cause: str,
    cost: int | None = None,
    cards: int = 0,
) -> bool:
    """`delivered` for an order that the caller has locked and whose cards are written already, or are written by it."""
    until = order.at + timedelta(hours=get_config().escrow_hours)
    changes: dict[str, Any] = {"escrow": Escrow.HELD.code, "escrow_until": until}
    if cost is not None:
        changes["cost"] = cost
    moved = transition(
        *(session, order.order_no, OrderStatus.DELIVERED),
        actor=actor,
        reason=reason,
        cause=cause,
        changes=changes,
        biz={"cards": cards} if cards else {},
        locked=order,
    )
    if not moved.changed:
        return False
    rows.close(session, order.order_no, DeliveryStatus.DELIVERED, kind=kind, cost=cost or 0)
    _tell_agent(order)
    return True


def failed(session: Session, order_no: int, *, reason: str, actor: Mapping[str, Any], cause: str) -> bool:
    """Moves the order to failed; `reason` is what staff and buyer read. False when the same cause had failed it before.

    What happens to the money is decided by staff or by who called: a failed order may be tried again or refunded.
    """
    moved = transition(session, order_no, OrderStatus.FAILED, actor=actor, reason=reason, cause=cause)
    if moved.changed:
        rows.close(session, order_no, DeliveryStatus.FAILED, kind=rows.kind_of(session, order_no), reason=reason)
        _tell_agent(lock(session, order_no))
    return moved.changed


def _tell_agent(order: Locked) -> None:
    """An agent's purchase came to something: the sale it was made for, or the agent's own system, has to hear of it."""
    if order.agent_id is not None:
        app.configure_task("delivery.purchase_done").defer(order_no=order.order_no)


def write_cards(session: Session, order: Locked, cards: Sequence[str]) -> None:
    """Seals texts as the order's next lines, under the selling merchant's key."""
    vault = Vault()
    key_id = vault.ensure_key(order.merchant_id, order.home).key_id
    ids = [uuid.uuid4() for _card in cards]
    sealed = [vault.seal(order.merchant_id, card_id, text) for card_id, text in zip(ids, cards, strict=True)]
    values = {
        "order_no": order.order_no,
        "home": order.home,
        "merchant_id": order.merchant_id,
        "key_id": key_id,
        "card_ids": ids,
        "secrets": [one.secret for one in sealed],
        "blinds": [one.blind for one in sealed],
        "hints": [one.hint for one in sealed],
    }
    session.run(_WRITE, values)
