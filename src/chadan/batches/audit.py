"""The record of who started, stopped and undid which batch: appended, never changed."""

from __future__ import annotations

from typing import Any

from chadan.accounts.actors import Actor
from chadan.batches.models import Batch
from chadan.exports.models import AuditEvent
from chadan.orders.events import actor_json


def record(batch: Batch, event: str, actor: Actor, details: dict[str, Any] | None = None) -> None:
    """Appends an event about a batch."""
    AuditEvent.objects.create(
        type=event,
        user_id=actor.user_id,
        actor=actor_json(actor),
        merchant_id=batch.merchant_id,
        subject=str(batch.pk),
        details={"action": batch.action, "orders": batch.able, **(details or {})},
    )
