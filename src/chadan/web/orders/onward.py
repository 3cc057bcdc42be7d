"""Where an order's page leads on to: paying, confirming a payment, delivering, refunding. Only what this person may do now."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.orders import number
from chadan.orders.detail import OrderDetail
from chadan.orders.states import OrderStatus

S = OrderStatus
_TO_DELIVER = frozenset({S.PAID, S.PROCESSING, S.FAILED})


@dataclass(frozen=True, slots=True)
class Onward:
    """A link as the button component takes it."""

    text: str
    url: str
    kind: str
    icon: str


def onward(actor: Actor, order: OrderDetail) -> list[Onward]:
    """The links of the order's page for `actor`, most important first."""
    status, text, found = order.facts.status, number.text(order.order_no), []
    inside = order.relation in ("seller", "operator")
    area = "operator" if order.relation == "operator" else "merchant"
    if order.relation == "buyer" and status is S.PENDING_PAYMENT:
        found.append(Onward(_("Pay now"), reverse("payments:choose", args=[text]), "primary", "credit-card"))
    if order.relation == "seller" and status in _TO_DELIVER and actor.may(Permission.DELIVER):
        url = reverse("delivery:delivery", args=[text])
        found.append(Onward(_("Deliver or try again"), url, "primary", "truck"))
    if inside and status in (S.PENDING_PAYMENT, S.CANCELLED) and actor.may(Permission.CONFIRM):
        url = reverse(f"payments:{area}-confirm", args=[text])
        found.append(Onward(_("Confirm the payment by hand"), url, "", "badge-check"))
    if inside and _refundable(order) and actor.may(Permission.REFUND):
        found.append(Onward(_("Refund"), reverse(f"payments:{area}-refund", args=[text]), "", "undo-2"))
    return found


def _refundable(order: OrderDetail) -> bool:
    """Whether money lies here that could go back: what another shop took is refunded there."""
    return order.lives_here and order.facts.paid > order.facts.refunded
