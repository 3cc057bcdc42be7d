"""Showing what is masked: cards and top-up accounts. Every reveal is a permission and an event."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.orders import events, number
from chadan.orders.detail_sql import may_see
from chadan.orders.states import OrderStatus
from chadan.orders.vault import Vault
from chadan.platform.errors import Conflict, Forbidden, NotFound
from chadan.platform.scope import Session, scoped

_ORDER = "select o.status, o.account from orders o where o.order_no = %s and o.home = %s and {scope}"
_CARDS = """
select line, merchant_id, card_id, key_id, secret from order_cards where order_no = %s and home = %s order by line
"""
_NOT_YET = frozenset({OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED})


def reveal_cards(actor: Actor, order_no: int) -> list[str]:
    """The order's cards in clear, one per line, and a `card.revealed` event.

    Raises Forbidden without the permission, NotFound for another's order, Conflict while nothing was delivered.
    """
    with scoped(actor.scope) as session:
        status = _open(session, actor, order_no)[0]
        rows = session.rows(_CARDS, (order_no, number.split(order_no).home))
        if not rows or (actor.kind in ("buyer", "guest") and OrderStatus.of(status) in _NOT_YET):
            raise Conflict(_("This order has no delivered card yet."))
        vault = Vault()
        cards = [vault.open(owner, card_id, key_id, bytes(secret)) for _line, owner, card_id, key_id, secret in rows]
        events.append(session, order_no, "card.revealed", events.actor_json(actor), {"cards": len(cards)})
    return cards


def reveal_account(actor: Actor, order_no: int) -> str:
    """The order's top-up account unmasked, and an `account.revealed` event. Raises as `reveal_cards`."""
    with scoped(actor.scope) as session:
        account = str(_open(session, actor, order_no)[1])
        events.append(session, order_no, "account.revealed", events.actor_json(actor), {})
    return account


def _open(session: Session, actor: Actor, order_no: int) -> tuple[Any, ...]:
    if not number.is_valid(order_no):
        raise NotFound(_("There is no such order."))
    predicate = may_see(actor.scope)
    rows = session.rows(_ORDER.format(scope=predicate.text), (order_no, number.split(order_no).home, *predicate.params))
    if not rows:
        raise NotFound(_("There is no such order."))
    if not actor.may(Permission.REVEAL):
        raise Forbidden(_("Your role may not reveal cards and accounts."), hint=_("Ask an owner of the shop."))
    return rows[0]
