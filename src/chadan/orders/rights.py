"""Who may take which step of an order's life, and which steps its state offers (docs/reference/lifecycle.md)."""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.orders.states import OrderStatus
from chadan.orders.transitions import ALLOWED
from chadan.platform.errors import Forbidden

S = OrderStatus


class Step(StrEnum):
    """What people do to an order's state."""

    COMPLETE = "complete"
    CANCEL = "cancel"
    OPEN_CASE = "open_case"
    CLOSE_CASE = "close_case"


_ANY = ""
_RIGHTS: dict[tuple[str, Step], str] = {
    ("buyer", Step.COMPLETE): _ANY,
    ("buyer", Step.CANCEL): _ANY,
    ("buyer", Step.OPEN_CASE): _ANY,
    ("buyer", Step.CLOSE_CASE): _ANY,
    ("agent", Step.COMPLETE): Permission.MANAGE,
    ("agent", Step.CANCEL): Permission.MANAGE,
    ("agent", Step.OPEN_CASE): Permission.MANAGE,
    ("agent", Step.CLOSE_CASE): Permission.MANAGE,
    ("seller", Step.CANCEL): Permission.DELIVER,
    ("seller", Step.OPEN_CASE): Permission.DELIVER,
    ("seller", Step.CLOSE_CASE): Permission.REFUND,
    ("operator", Step.CANCEL): Permission.REFUND,
    ("operator", Step.OPEN_CASE): Permission.REFUND,
    ("operator", Step.CLOSE_CASE): Permission.REFUND,
}
"""By relation to the order (orders.detail.relation_of) and step: the permission it takes. What is not here nobody may."""
_FROM: dict[Step, frozenset[OrderStatus]] = {
    Step.COMPLETE: frozenset({S.DELIVERED}),
    Step.CANCEL: frozenset({S.PENDING_PAYMENT}),
    Step.OPEN_CASE: frozenset(status for status, targets in ALLOWED.items() if S.AFTER_SALE in targets),
    Step.CLOSE_CASE: frozenset({S.AFTER_SALE}),
}


def may(actor: Actor, relation: str, step: Step) -> bool:
    """Whether the actor, who is `relation` to the order, may take the step when its state allows it."""
    needs = _RIGHTS.get((relation, step))
    return needs is not None and (needs == _ANY or actor.may(needs))


def may_refund(actor: Actor, relation: str) -> bool:
    """Whether closing a case may give money back: the side that was paid decides that, or the platform."""
    return relation in ("seller", "operator") and actor.may(Permission.REFUND)


def require(actor: Actor, relation: str, step: Step) -> None:
    """Raises Forbidden unless the actor may take the step."""
    if not may(actor, relation, step):
        raise Forbidden(_("Your role does not allow this."), hint=_("Ask an owner of the shop."))


def steps(actor: Actor, relation: str, status: OrderStatus) -> list[Step]:
    """The steps to offer on the order's page."""
    return [step for step in Step if status in _FROM[step] and may(actor, relation, step)]
