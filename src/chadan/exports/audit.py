"""The record of who took what: appended, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chadan.accounts.actors import Actor
from chadan.exports.models import AuditEvent, ExportJob
from chadan.orders.events import actor_json


def record_shown(actor: Actor, numbers: Sequence[str], details: dict[str, Any]) -> None:
    """Appends that accounts were shown in clear outside an order's page, and of which orders."""
    AuditEvent.objects.create(
        type="accounts.shown",
        user_id=actor.user_id,
        actor=actor_json(actor),
        merchant_id=actor.merchant_id,
        subject="find",
        details={**details, "orders": list(numbers)},
    )


def record(job: ExportJob, event: str, details: dict[str, Any], actor: Actor | None = None) -> None:
    """Appends an event about an export; without an actor the system did it on the requester's behalf."""
    who = actor_json(actor) if actor else {"kind": "system", "for": job.user_id}
    AuditEvent.objects.create(
        type=event,
        user_id=job.user_id if actor is None else actor.user_id,
        actor=who,
        merchant_id=job.merchant_id,
        subject=str(job.pk),
        details=details,
    )
