"""Views of the order list that somebody named."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from chadan.accounts.models import Merchant


class SavedView(models.Model):
    """A named filter of one order list, with its columns, page size and the side of the list it is of.

    `area` is whose list: buyer, merchant, operator. `filters` is an OrderQuery, `date` the window that moves with the day
    (`7d`) and stands in for its time, `typed` what stood in the search box. A shared view is the merchant's: `user` is who
    made it. Pinned ones stand above the list, by `position`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    area = models.CharField(max_length=16)
    merchant = models.ForeignKey(Merchant, null=True, blank=True, on_delete=models.CASCADE, related_name="saved_views")
    home = models.SmallIntegerField(null=True, blank=True)
    shared = models.BooleanField(default=False)
    name = models.CharField(max_length=60)
    name_key = models.CharField(max_length=60)
    side = models.CharField(
        max_length=16, blank=True, help_text="sales, agent, purchases; empty where there is one side"
    )
    filters = models.JSONField(default=dict)
    date = models.CharField(max_length=16, blank=True)
    typed = models.TextField(blank=True)
    columns = models.JSONField(default=list)
    size = models.SmallIntegerField(null=True, blank=True)
    pinned = models.BooleanField(default=False)
    position = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "saved_views"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "area", "merchant", "name_key"],
                condition=models.Q(shared=False),
                nulls_distinct=False,
                name="saved_views_personal_name",
            ),
            models.UniqueConstraint(
                fields=["merchant", "name_key"], condition=models.Q(shared=True), name="saved_views_shared_name"
            ),
            models.CheckConstraint(
                condition=models.Q(shared=False) | models.Q(merchant__isnull=False), name="saved_views_shared_by_shop"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keeps the matching key in step."""
        self.name_key = self.name.casefold()
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class DefaultView(models.Model):
    """The view a person's list opens with. One for each side of each list, each shop apart."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    area = models.CharField(max_length=16)
    merchant = models.ForeignKey(Merchant, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    side = models.CharField(max_length=16, blank=True)
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="defaults")

    class Meta:
        db_table = "default_views"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "area", "merchant", "side"], nulls_distinct=False, name="default_views_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.view_id}"
