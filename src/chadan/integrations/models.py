"""What an import leaves behind: where orders came from, and the report of every run."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from chadan.accounts.models import Merchant, User


class ImportSource(models.Model):
    """A shop elsewhere whose orders a merchant keeps here. Its id scopes the source's order numbers (external_refs)."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="import_sources")
    home = models.SmallIntegerField()
    format = models.CharField(max_length=32, help_text="importer, or the platform's name for marketplaces")
    shop = models.CharField(max_length=64, blank=True, help_text="tells installations of one format apart")
    source_merchant = models.CharField(max_length=64, blank=True, help_text="the merchant's id in the source")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "import_sources"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "format", "shop", "source_merchant"], name="import_sources_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.format} {self.shop} {self.source_merchant}".strip()


class ImportRun(models.Model):
    """One run of an importer and its report. `rejections` holds [line, external number, reason], at most 10,000."""

    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    merchant = models.ForeignKey(Merchant, null=True, blank=True, on_delete=models.CASCADE, related_name="import_runs")
    format = models.CharField(max_length=32)
    path = models.CharField(max_length=500)
    state = models.CharField(max_length=16, default="running", help_text="running, done or failed")
    read = models.BigIntegerField(default=0)
    added = models.BigIntegerField(default=0)
    duplicate = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    rejections = models.JSONField(default=list)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "import_runs"

    def __str__(self) -> str:
        return f"{self.format} {self.started_at:%Y-%m-%d %H:%M}"
