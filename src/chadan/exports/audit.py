"""The record of who took what: appended, never changed."""

from __future__ import annotations

from typing import Any

from chadan.accounts.actors import Actor
from chadan.exports.models import AuditEvent, ExportJob
from chadan.orders.events import actor_json


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
