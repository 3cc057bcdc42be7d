"""What staff did with the stock, for the audit log: appended, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chadan.exports.models import AuditEvent


def record(event: str, merchant_id: int, subject: str, actor: Mapping[str, Any], details: Mapping[str, Any]) -> None:
    """Appends `event` in the caller's transaction. `actor` is `events.actor_json(...)` or `events.system(...)`."""
    AuditEvent.objects.create(
        type=event,
        user_id=actor.get("id"),
        actor=dict(actor),
        merchant_id=merchant_id,
        subject=subject,
        details=dict(details),
    )
