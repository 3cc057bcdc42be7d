"""Rules that tag orders by themselves, and the jobs that go over many orders."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from chadan.accounts.models import Merchant
from chadan.catalog.models import Tag


class TagRule(models.Model):
    """Puts `tag` on the merchant's orders that match `query` (an OrderQuery) and what stands beside it.

    `buyer_orders`, `buyer_days`, `overdue`: search.beside. `removes`: takes the tag off again, where a rule put it, when the
    order matches no more. `preset` names the ready-made rule it was made from. `error`: why it could not be evaluated.
    """

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="tag_rules")
    home = models.SmallIntegerField()
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=60)
    query = models.JSONField(default=dict)
    buyer_orders = models.IntegerField(null=True, blank=True)
    buyer_days = models.IntegerField(null=True, blank=True)
    overdue = models.BooleanField(default=False)
    removes = models.BooleanField(default=True)
    enabled = models.BooleanField(default=False)
    since = models.DateTimeField(db_default=Now(), help_text="switched on then: what happened before is the past")
    preset = models.CharField(max_length=32, blank=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "tag_rules"
        indexes: ClassVar = [
            models.Index(fields=["merchant"], condition=models.Q(enabled=True), name="tag_rules_enabled")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "preset"], condition=~models.Q(preset=""), name="tag_rules_preset"
            )
        ]

    def __str__(self) -> str:
        return self.name


class JobKind(models.TextChoices):
    """What a job does to the orders it goes over."""

    MERGE = "merge", _("Merging")
    DELETE = "delete", _("Deleting")
    APPLY = "apply", _("Applying a rule")


class JobState(models.TextChoices):
    """Where a job stands."""

    RUNNING = "running", _("Under way")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class TagJob(models.Model):
    """One pass over a merchant's orders. `below` is the order number it has come down to: after a crash it goes on there.

    `phase` of an applied rule: 0 the orders that match, 1 those that bear its tag. `title` is what it was about, kept when
    the tag is gone.
    """

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    home = models.SmallIntegerField()
    kind = models.CharField(max_length=8, choices=JobKind.choices)
    title = models.CharField(max_length=250)
    tag_id = models.IntegerField()
    into_id = models.IntegerField(null=True, blank=True)
    rule_id = models.BigIntegerField(null=True, blank=True)
    actor = models.JSONField()
    actor_id = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=JobState.choices, default=JobState.RUNNING)
    total = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    phase = models.SmallIntegerField(default=0)
    below = models.BigIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "tag_jobs"
        indexes: ClassVar = [models.Index(fields=["merchant", "-id"], name="tag_jobs_merchant")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule_id"], condition=models.Q(state="running", kind="apply"), name="tag_jobs_one_a_rule"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def running(self) -> bool:
        """Whether it may still change by itself."""
        return self.state == JobState.RUNNING
