"""Questions worth asking, by role: what the search box offers to whoever does not know that it takes sentences."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chadan.accounts.actors import Actor, Permission

_BUYER: tuple[Promise, ...] = (
    _("phone topup orders of last month"),
    _("orders that have not arrived"),
    _("how much did I spend this month"),
    _("orders refunded in the last 30 days"),
)
_MERCHANT: tuple[Promise, ...] = (
    _("how much did I sell today"),
    _("which product sold best last week"),
    _("undelivered orders before today"),
    _("failed orders of the last 7 days"),
    _("refunds of this month"),
)
_OPERATOR: tuple[Promise, ...] = (
    _("which shop sold most this month"),
    _("failed orders of the last 7 days"),
    _("orders over 500 yuan today"),
    _("disputed orders"),
)
_COSTS: tuple[Promise, ...] = (_("profit of this month"),)


def suggested(actor: Actor) -> list[str]:
    """Questions for the actor's role, in the reader's language."""
    if actor.kind == "buyer":
        return [str(one) for one in _BUYER]
    found = _MERCHANT if actor.kind == "merchant" else _OPERATOR
    return [str(one) for one in (*found, *(_COSTS if actor.may(Permission.SEE_COST) else ()))]
