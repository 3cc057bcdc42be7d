"""API keys: scoped, hashed, shown once (DESIGN §7)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from chadan.accounts.models import Merchant, User


class ApiKey(models.Model):
    """A bearer key. It acts as its user in one capacity, with at most the scopes it names."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    capacity = models.CharField(max_length=16, help_text="buyer, merchant or operator")
    merchant = models.ForeignKey(Merchant, null=True, blank=True, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    scopes = models.JSONField(default=list)
    digest = models.BinaryField(unique=True, help_text="SHA-256 of the key")
    last4 = models.CharField(max_length=4)
    ips = models.JSONField(default=list, blank=True, help_text="addresses or networks; empty: any")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_keys"

    def __str__(self) -> str:
        return f"{self.name} …{self.last4}"


class IdempotentAnswer(models.Model):
    """What an unsafe call was answered, so that the same Idempotency-Key is answered the same; written with what it did."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    route = models.CharField(max_length=64)
    key = models.CharField(max_length=128)
    body_hash = models.BinaryField(help_text="SHA-256 of the request's body")
    status = models.SmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "idempotent_answers"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "route", "key"], name="idempotent_answers_once")
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotent_answers_age")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
