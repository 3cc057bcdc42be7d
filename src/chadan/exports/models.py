"""Export jobs, and the record of who took what."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Format(models.TextChoices):
    """The kinds of file."""

    XLSX = "xlsx", _("Excel workbook (.xlsx)")
    CSV = "csv", _("CSV for spreadsheets (.csv)")
    PARQUET = "parquet", _("Parquet for analysis (.parquet)")


class State(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", pgettext_lazy("export", "Waiting")
    RUNNING = "running", pgettext_lazy("export", "Being written")
    DONE = "done", pgettext_lazy("export", "Ready")
    FAILED = "failed", pgettext_lazy("export", "Failed")
    CANCELLED = "cancelled", pgettext_lazy("export", "Cancelled")
    EXPIRED = "expired", pgettext_lazy("export", "Expired")


class ExportJob(models.Model):
    """One export: what was asked for by whom in which capacity, how far it is, and what came out.

    `query` is an OrderQuery, `selection` order numbers that narrow it, `frozen` the batch whose orders it holds instead, `upto` the order-number bound fixed when it was
    requested, `checkpoint` what the writer needs to go on after a crash. `rows_total` is counted before the first row; `attempt` tells a job that
    was started again from its former self.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exports")
    actor_key = models.CharField(max_length=32)
    role = models.CharField(max_length=16)
    merchant_id = models.BigIntegerField(null=True, blank=True)
    home = models.SmallIntegerField(null=True, blank=True)
    buyer_id = models.BigIntegerField(null=True, blank=True)
    query = models.JSONField(default=dict)
    view = models.CharField(max_length=16, blank=True)
    selection = models.JSONField(null=True, blank=True)
    frozen = models.UUIDField(null=True, blank=True)
    format = models.CharField(max_length=8, choices=Format.choices)
    columns = models.JSONField(default=list)
    masked = models.BooleanField(default=True)
    language = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=1)
    upto = models.BigIntegerField()
    rows_total = models.BigIntegerField(null=True, blank=True)
    rows_done = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    checkpoint = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "exports"
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="exports_user"),
            models.Index(fields=["merchant_id", "-created_at"], name="exports_merchant"),
            models.Index(fields=["state", "expires_at"], name="exports_state"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def filename(self) -> str:
        """What the file is called when it is downloaded."""
        return f"orders-{self.created_at:%Y%m%d}-{str(self.id)[:8]}.{self.format}"

    @property
    def running(self) -> bool:
        """Whether it may still change by itself."""
        return self.state in (State.QUEUED, State.RUNNING)

    @property
    def percent(self) -> int | None:
        """How much is written, 0-100; None while the rows are being counted."""
        if self.rows_total is None:
            return None
        return min(100, 100 * self.rows_done // self.rows_total) if self.rows_total else 100


class AuditEvent(models.Model):
    """Something somebody did that has to be answerable for: written once, never changed (platform.migrate)."""

    at = models.DateTimeField(auto_now_add=True)
    type = models.CharField(max_length=40)
    user_id = models.BigIntegerField(null=True, blank=True)
    actor = models.JSONField()
    merchant_id = models.BigIntegerField(null=True, blank=True)
    subject = models.CharField(max_length=64)
    details = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_events"
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "-at"], name="audit_events_merchant"),
            models.Index(fields=["subject"], name="audit_events_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"
