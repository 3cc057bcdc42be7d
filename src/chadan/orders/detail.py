"""One order, whole: everything the acting role may see of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.orders import detail_sql, number
from chadan.orders.detail_sql import (
    CardRow,
    DeliveryRow,
    EventRow,
    NoteRow,
    OrderFacts,
    PaymentRow,
    RelatedRow,
    TagRow,
)
from chadan.orders.states import OrderStatus
from chadan.platform.errors import NotFound
from chadan.platform.scope import Matter, scoped


@dataclass(frozen=True, slots=True)
class Moment:
    """A point on the timeline: `kind` is an event type or a milestone such as "paid"; `who` names the actor."""

    at: datetime
    kind: str
    who: str
    actor_kind: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """What one role sees of one order. What the role may not see is None or empty, never masked by the page."""

    facts: OrderFacts
    relation: str
    payments: list[PaymentRow]
    deliveries: list[DeliveryRow]
    cards: list[CardRow]
    notes: list[NoteRow]
    tags: list[TagRow]
    related: list[RelatedRow]
    timeline: list[Moment]
    may_reveal: bool
    may_note: bool
    may_tag: bool
    sees_cost: bool
    inside: bool
    """Whether the order is the actor's own sale (or the actor the platform): tags and internal notes show."""
    sees_supplier: bool

    @property
    def order_no(self) -> int:
        """The order's number."""
        return self.facts.order_no

    @property
    def lives_here(self) -> bool:
        """Whether the order was placed here; an imported one is another shop's history, and its money is there."""
        return any(moment.kind == "order.placed" for moment in self.timeline)

    @property
    def profit(self) -> int:
        """Fen: money that stayed minus cost; 0 while unpaid (DESIGN §2)."""
        facts = self.facts
        return facts.paid - facts.refunded - facts.cost if facts.paid_at else 0


def relation_of(actor: Actor, facts: OrderFacts) -> str:
    """What the actor is to the order: operator, seller, agent (bought it to resell) or buyer."""
    if actor.kind == "operator":
        return "operator"
    if actor.merchant_id is not None:
        return "seller" if actor.merchant_id == facts.merchant_id else "agent"
    return "buyer"


def get_detail(actor: Actor, order_no: int) -> OrderDetail:
    """The order as `actor` may see it. Raises NotFound alike for another's order and for one that does not exist."""
    if not number.is_valid(order_no):
        raise NotFound(_("There is no such order."), hint=_("Check the number: one of its digits is mistyped."))
    with scoped(actor.scope) as session:
        rows = session.many(detail_sql.statements(order_no, actor.scope))
        if not rows[0]:
            raise NotFound(_("There is no such order."))
        facts = OrderFacts(*rows[0][0])
        if facts.parent_order_no is not None:
            rows[7] += session.rows(*detail_sql.sale_statement(facts.parent_order_no))
    relation = relation_of(actor, facts)
    inside = relation in ("seller", "operator")
    events = [EventRow(*row) for row in rows[6]]
    sees_cost = inside and actor.may(Permission.SEE_COST)
    sees_supplier = inside and actor.scope.may_ask(Matter.SUPPLIER)
    deliveries = [DeliveryRow(*row) for row in rows[2]]
    facts = facts if sees_cost else facts.without_cost()
    notes = [note for note in (NoteRow(*row) for row in rows[4]) if inside or not note.internal]
    return OrderDetail(
        facts=facts if sees_supplier else facts.without_supplier(),
        relation=relation,
        payments=[PaymentRow(*row) for row in rows[1]],
        deliveries=[delivery if sees_supplier else delivery.without_supplier() for delivery in deliveries],
        cards=[CardRow(*row) for row in rows[3]],
        notes=notes,
        tags=[TagRow(*row) for row in rows[5]] if inside else [],
        related=[related for related in (RelatedRow(*row) for row in rows[7]) if inside or relation == "agent"],
        timeline=_timeline(facts, events, inside=inside),
        may_reveal=actor.may(Permission.REVEAL) and relation != "operator",
        may_note=actor.may(Permission.NOTE) and inside,
        may_tag=actor.may(Permission.TAG) and relation == "seller",
        sees_cost=sees_cost,
        inside=inside,
        sees_supplier=sees_supplier,
    )


# Milestones an order row remembers by itself: imported orders have no events for them.
_MILESTONES = (
    ("placed", "buyer"),
    ("paid", "gateway"),
    ("delivered", "system"),
    ("completed", "system"),
    ("refunded", "merchant"),
    ("cancelled", "system"),
)
# What the buyer need not see: who looked at what, and the shop's own work.
_INSIDE_ONLY = frozenset(
    {
        *("imported", "note.added", "note.removed", "tag.added", "tag.removed", "tag.merged", "export.taken"),
        *("order.escalated", "payment.alert", "delivery.stuck", "delivery.retried", "refund.failed", "refund.retried"),
    }
)


def _timeline(facts: OrderFacts, events: list[EventRow], *, inside: bool) -> list[Moment]:
    """Events and milestones, oldest first."""
    told = {event.type.removeprefix("order.") for event in events}
    moments = [
        Moment(at, kind, "", actor_kind)
        for kind, actor_kind in _MILESTONES
        if (at := _moment_of(facts, kind)) is not None and kind not in told
    ]
    for event in events:
        actor = _load(event.actor)
        if inside or (event.type not in _INSIDE_ONLY and not event.type.startswith("supply.")):
            data = _load(event.biz)
            if not inside:
                data = {"amount": data.get("amount")} if event.type.startswith("refund.") else {}
            moments.append(Moment(event.at, event.type, actor.get("name", ""), actor.get("kind", ""), data))
    return sorted(moments, key=lambda moment: moment.at)


def _moment_of(facts: OrderFacts, kind: str) -> datetime | None:
    moment: datetime | None = number.placed_at(facts.order_no) if kind == "placed" else getattr(facts, f"{kind}_at")
    return moment


def _load(value: str | dict[str, Any]) -> dict[str, Any]:
    """Django leaves jsonb as text on its connections."""
    loaded: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return loaded


DELIVERED = (OrderStatus.DELIVERED, OrderStatus.COMPLETED, OrderStatus.AFTER_SALE, OrderStatus.REFUNDED)
"""States in which an order's cards have reached the buyer."""
