"""The timeline in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chadan.orders.detail import Moment
from chadan.web.format import money

WORDS: dict[str, tuple[Promise, str]] = {
    "order.placed": (gettext_lazy("Order placed"), "grey"),
    "order.pending_payment": (gettext_lazy("Waiting for payment"), "grey"),
    "order.paid": (gettext_lazy("Payment received"), "blue"),
    "order.processing": (gettext_lazy("Delivery under way"), "blue"),
    "order.delivered": (gettext_lazy("Goods delivered"), "green"),
    "order.completed": (gettext_lazy("Order completed"), "green"),
    "order.failed": (gettext_lazy("Delivery failed"), "red"),
    "order.after_sale": (gettext_lazy("After-sales case opened"), "amber"),
    "order.refunded": (gettext_lazy("Money refunded"), "red"),
    "order.cancelled": (gettext_lazy("Order cancelled"), "grey"),
    "order.escalated": (gettext_lazy("Late: the staff was told"), "red"),
    "imported": (gettext_lazy("Record imported"), "grey"),
    "payment.alert": (gettext_lazy("A payment that does not fit"), "red"),
    "payment.paid_back_outside": (gettext_lazy("The gateway gave the money back by itself"), "amber"),
    "refund.requested": (gettext_lazy("Refund asked for"), "amber"),
    "refund.done": (gettext_lazy("Refund arrived"), "amber"),
    "refund.failed": (gettext_lazy("Refund failed"), "red"),
    "refund.retried": (gettext_lazy("Refund sent again"), "amber"),
    "delivery.stuck": (gettext_lazy("Delivery is stuck"), "red"),
    "delivery.retried": (gettext_lazy("Delivery tried again"), "blue"),
    "supply.requested": (gettext_lazy("Purchase placed"), "blue"),
    "supply.refused": (gettext_lazy("The supplier refused the purchase"), "amber"),
    "supply.parked": (gettext_lazy("Purchase waits for a person"), "amber"),
    "supply.returned": (gettext_lazy("Money of the purchase came back"), "amber"),
    "supply.too_late": (gettext_lazy("The goods came too late"), "amber"),
    "card.passed_on": (gettext_lazy("Cards handed on to the agent's sale"), "green"),
    "card.revealed": (gettext_lazy("Cards revealed"), "amber"),
    "account.revealed": (gettext_lazy("Account revealed"), "amber"),
    "note.added": (gettext_lazy("Note added"), "grey"),
    "note.removed": (gettext_lazy("Note removed"), "grey"),
    "tag.added": (gettext_lazy("Tag added"), "grey"),
    "tag.removed": (gettext_lazy("Tag removed"), "grey"),
    "tag.merged": (gettext_lazy("Tag merged"), "grey"),
    "export.taken": (gettext_lazy("Taken in an export"), "amber"),
}
"""What each type of event says, and its colour. A milestone without an event has the name of its state alone."""
_WHO: dict[str, Promise] = {
    "buyer": gettext_lazy("Buyer"),
    "guest": gettext_lazy("Guest"),
    "merchant": gettext_lazy("Shop staff"),
    "operator": gettext_lazy("Platform operator"),
    "gateway": gettext_lazy("Payment gateway"),
    "supplier": gettext_lazy("Supplier"),
    "system": gettext_lazy("System"),
    "import": gettext_lazy("Import"),
    "seed": gettext_lazy("Demo data"),
}
_ALERTS: dict[str, Promise] = {
    "second": gettext_lazy("The order was paid already; the money goes back."),
    "wrong_amount": gettext_lazy("The amount is not the order's; the money goes back."),
    "wrong_currency": gettext_lazy("The currency is not the order's."),
    "wrong_payee": gettext_lazy("Somebody else was paid."),
    "wrong_channel": gettext_lazy("It came through another channel."),
    "unknown_order": gettext_lazy("It names no order."),
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
        what, tone = WORDS.get(moment.kind) or WORDS.get(f"order.{moment.kind}") or (moment.kind, "grey")
        kind = str(_WHO.get(moment.actor_kind, moment.actor_kind))
        # Which part of the machine acted is a word of the code.
        who = kind if moment.actor_kind == "system" else moment.who or kind
        note = _note(moment.data)
        shown.append(Told(str(what), moment.at, who, kind if who != kind else "", tone, note))
    return shown


def _note(data: dict[str, Any]) -> str:
    """What an event says besides: a tag, an alert, a sum, a reason. The machine's own reasons are texts of the catalogues."""
    parts = [_("Tag: %(tag)s") % {"tag": data["tag"]}] if "tag" in data else []
    if "verdict" in data:
        parts.append(str(_ALERTS.get(data["verdict"], data["verdict"])))
    for name in ("amount", "refunded"):  # fen; a state change says yuan, as text
        if isinstance(data.get(name), int) and data[name] > 0:
            parts.append(money(data[name]))
    if data.get("by_hand"):
        parts.append(_("paid back by hand"))
    if data.get("to_wallet"):
        parts.append(_("into the wallet"))
    parts += [_(data[name]) for name in ("reason", "error") if data.get(name)]
    if str(data.get("cause", "")).startswith("batch:"):
        parts.append(_("in a batch"))
    return " · ".join(parts)
