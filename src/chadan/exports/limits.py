"""How many rows a role may take in one export (CHADAN_EXPORT_ROWS)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor
from chadan.exports.errors import ExportTooLarge
from chadan.platform.config import get_config


def row_limit(actor: Actor) -> int:
    """The most rows the actor's role may export at once."""
    limits = get_config().export_rows
    limit = limits[actor.role]
    # An agent is its own shop's owner: whichever setting allows less holds.
    return min(limit, limits["agent"]) if actor.is_agent else limit


def too_large(limit: int) -> ExportTooLarge:
    """The error for an export of more than `limit` rows."""
    return ExportTooLarge(
        _("This export has more than %(limit)s orders, the most your role may take at once.") % {"limit": f"{limit:,}"},
        hint=_("Narrow the filter, for example to one month."),
    )
