"""What a person asked an order list."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

TEXT_LENGTH = 300


class AskedText(models.Model):
    """A text typed into the search box of an order list: once for each capacity of a person, with when it was last asked.

    `capacity` is the actor's key (buyer, merchant:7, operator): what was asked in one shop is not shown in another.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    capacity = models.CharField(max_length=32)
    text = models.CharField(max_length=TEXT_LENGTH)
    last_at = models.DateTimeField()

    class Meta:
        db_table = "asked_texts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "capacity", "text"], name="asked_texts_once"),
        ]

    def __str__(self) -> str:
        return self.text
