"""One thing done to many orders: what, by whom, to which frozen set, and how far it is."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    """Where a batch stands."""

    PREPARING = "preparing", pgettext_lazy("batch", "Being looked up")
    READY = "ready", pgettext_lazy("batch", "To be confirmed")
    RUNNING = "running", pgettext_lazy("batch", "Running")
    DONE = "done", pgettext_lazy("batch", "Done")
    FAILED = "failed", pgettext_lazy("batch", "Stopped by an error")
    CANCELLED = "cancelled", pgettext_lazy("batch", "Cancelled")
    UNDOING = "undoing", pgettext_lazy("batch", "Being undone")
    UNDONE = "undone", pgettext_lazy("batch", "Undone")


class Batch(models.Model):
    """One batch. Its orders are the rows of `batch_orders`, frozen before anybody confirms (docs/decisions/050).

    `query` and `view` are what the list showed, null where single orders were ticked; `upto` the order-number bound of the moment it
    was asked for, `checkpoint` where freezing goes on. `total`, `able` and the amounts (fen) are what the preview says; the
    counters are kept in the transactions that do the work, so they are exact after a crash: `done` to `kept` are of the `able` orders.
    `hand` is whom it acts as: who confirmed it or, later, asked to undo it. `undoing` tells whether what was stopped was the undoing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    hand = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_key = models.CharField(max_length=32)
    role = models.CharField(max_length=16)
    merchant_id = models.BigIntegerField()
    home = models.SmallIntegerField()
    action = models.CharField(max_length=16)
    params = models.JSONField(default=dict)
    query = models.JSONField(null=True, blank=True)
    view = models.CharField(max_length=16, blank=True)
    upto = models.BigIntegerField()
    language = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PREPARING)
    checkpoint = models.JSONField(default=dict)
    undoing = models.BooleanField(default=False)
    total = models.BigIntegerField(default=0)
    able = models.BigIntegerField(default=0)
    amount = models.BigIntegerField(default=0)
    able_amount = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    undone = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "batches"
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="batches_user"),
            models.Index(fields=["merchant_id", "-created_at"], name="batches_merchant"),
            models.Index(fields=["state", "created_at"], name="batches_state"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {str(self.id)[:8]}"

    @property
    def unable(self) -> int:
        """How many of the orders the preview left out."""
        return self.total - self.able

    @property
    def working(self) -> bool:
        """Whether it may still change by itself."""
        return self.state in (State.PREPARING, State.RUNNING, State.UNDOING)

    @property
    def worked(self) -> int:
        """How many orders it has come to, of those it was to act on."""
        return self.done + self.undone + self.kept + self.skipped + self.failed

    @property
    def cause(self) -> str:
        """How the events of its orders name it."""
        return f"batch:{self.id}"
