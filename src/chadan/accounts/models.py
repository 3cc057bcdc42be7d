"""People and the businesses they act for."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who logs in. What they may do follows from memberships, a buyer record and `is_operator`."""

    is_operator = models.BooleanField(default=False)
    display_name = models.CharField(max_length=150, blank=True)

    class Meta:
        db_table = "users"

    def __str__(self) -> str:
        return self.display_name or self.username


class Merchant(models.Model):
    """A shop. An agent is a merchant that resells another's products."""

    home = models.SmallIntegerField()
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, db_index=True)
    is_agent = models.BooleanField(default=False)
    log_id = models.UUIDField(default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=64, blank=True)
    source_ref = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "merchants"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(home__gte=0, home__lte=999), name="merchants_home"),
            models.UniqueConstraint(
                fields=["source", "source_ref"], condition=~models.Q(source=""), name="merchants_source"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keeps the search key in step with the name."""
        self.name_key = self.name.casefold()
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Role(models.TextChoices):
    """What a member of staff does for a merchant."""

    OWNER = "owner", _("Owner")
    OPERATOR = "operator", _("Operator")
    FINANCE = "finance", _("Finance")
    SUPPORT = "support", _("Support")


class Membership(models.Model):
    """A user works for a merchant in one role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        db_table = "memberships"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "merchant"], name="memberships_once")]

    def __str__(self) -> str:
        return f"{self.user_id}:{self.merchant_id}:{self.role}"


class Buyer(models.Model):
    """Somebody orders belong to: an account, or a guest known by a contact.

    `realm` keeps names of different origins apart: "" for accounts, "guest" for guests, an import source otherwise.
    """

    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.PROTECT, related_name="buyer")
    realm = models.CharField(max_length=64, blank=True)
    login = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    login_key = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "buyers"
        constraints: ClassVar = [models.UniqueConstraint(fields=["realm", "login_key"], name="buyers_login")]
        indexes: ClassVar = [models.Index(fields=["login_key"], name="buyers_login_key")]

    def __str__(self) -> str:
        return self.name or self.login

    def save(self, *args: object, **kwargs: object) -> None:
        """Keeps the search keys in step with the names."""
        self.login_key = self.login.casefold()
        self.name_key = self.name.casefold()
        super().save(*args, **kwargs)  # type: ignore[arg-type]
