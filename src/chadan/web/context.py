"""What the layout needs on every page (a Jinja2 context processor)."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from chadan.web.nav import navigation
from chadan.web.preferences import density, theme


def layout(request: HttpRequest) -> dict[str, Any]:
    """`actor`, `capacities` (key, label, active), `nav`, `theme`, `density`, `messages`.

    Reads `request.actor` and `request.capacities` when a middleware has put them there.
    """
    actor = getattr(request, "actor", None) or None
    held = list(getattr(request, "capacities", None) or []) if actor else []
    return {
        "actor": actor,
        "capacities": [(one.key, capacity_label(one), actor is not None and one.key == actor.key) for one in held],
        "nav": navigation(capacity_kind(actor), request.get_full_path(), getattr(actor, "permissions", None)),
        "theme": theme(request),
        "density": density(request),
        "messages": get_messages(request),
    }


def capacity_kind(actor: Any) -> str:
    """Which navigation the actor gets: buyer, merchant, agent, operator, or guest for None."""
    if actor is None:
        return "guest"
    return "agent" if getattr(actor, "is_agent", False) else str(actor.kind)


def capacity_label(actor: Any) -> str:
    """How a capacity is called in the switcher: the shop's name, or what the person is."""
    if actor.label:
        return str(actor.label)
    return {"buyer": _("Buyer"), "operator": _("Platform operator")}.get(actor.kind, str(actor.name))
