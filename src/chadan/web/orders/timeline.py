"""The timeline in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chadan.orders.detail import Moment

_WHAT: dict[str, tuple[Promise, str]] = {
    "placed": (gettext_lazy("Order placed"), "grey"),
    "paid": (gettext_lazy("Payment received"), "blue"),
    "processing": (gettext_lazy("Delivery under way"), "blue"),
    "delivered": (gettext_lazy("Goods delivered"), "green"),
    "completed": (gettext_lazy("Order completed"), "green"),
    "failed": (gettext_lazy("Delivery failed"), "red"),
    "after_sale": (gettext_lazy("After-sales case opened"), "amber"),
    "refunded": (gettext_lazy("Money refunded"), "red"),
    "cancelled": (gettext_lazy("Order cancelled"), "grey"),
    "imported": (gettext_lazy("Record imported"), "grey"),
    "card.revealed": (gettext_lazy("Cards revealed"), "amber"),
    "account.revealed": (gettext_lazy("Account revealed"), "amber"),
    "note.added": (gettext_lazy("Note added"), "grey"),
    "tag.added": (gettext_lazy("Tag added"), "grey"),
    "tag.removed": (gettext_lazy("Tag removed"), "grey"),
    "export.taken": (gettext_lazy("Taken in an export"), "amber"),
}
_WHO: dict[str, Promise] = {
    "buyer": gettext_lazy("Buyer"),
    "guest": gettext_lazy("Guest"),
    "merchant": gettext_lazy("Shop staff"),
    "operator": gettext_lazy("Platform operator"),
    "gateway": gettext_lazy("Payment gateway"),
    "system": gettext_lazy("System"),
    "import": gettext_lazy("Import"),
    "seed": gettext_lazy("Demo data"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A moment as the timeline component shows it."""

    what: str
    at: datetime
    actor: str
    role: str
    tone: str
    note: str


def told(moments: list[Moment]) -> list[Told]:
    """The moments, newest first, in the reader's language; an event nobody named yet shows its own word."""
    shown = []
    for moment in reversed(moments):
        what, tone = _WHAT.get(moment.kind.removeprefix("order."), (moment.kind, "grey"))
        kind = str(_WHO.get(moment.actor_kind, moment.actor_kind))
        reason = moment.data.get("reason", "")  # the machine's own reasons are texts of the catalogues
        note = _("Tag: %(tag)s") % {"tag": moment.data["tag"]} if "tag" in moment.data else reason and _(reason)
        who = moment.who or kind
        shown.append(Told(str(what), moment.at, who, kind if moment.who and who != kind else "", tone, note))
    return shown
