"""What gateways told us, as they told it: kept before anything is done with it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class PaymentCallback(models.Model):
    """One callback, raw. It is stored and committed before it is judged; `verdict` says what came of it."""

    channel_id = models.BigIntegerField()
    home = models.SmallIntegerField()
    received_at = models.DateTimeField(auto_now_add=True)
    remote = models.CharField(max_length=64, blank=True)
    method = models.CharField(max_length=8)
    headers = models.JSONField(default=dict, help_text="those the signature covers")
    query = models.TextField(blank=True)
    body = models.TextField(blank=True)
    order_no = models.BigIntegerField(null=True, blank=True)
    verdict = models.CharField(max_length=32, blank=True, help_text="paid, repeated, bad_signature, wrong_amount, …")
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "payment_callbacks"
        indexes: ClassVar = [
            models.Index(fields=["channel_id", "-id"], name="payment_callbacks_channel"),
            models.Index(fields=["order_no"], name="payment_callbacks_order"),
            models.Index(fields=["received_at"], name="payment_callbacks_received"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.received_at:%Y-%m-%d %H:%M:%S} {self.verdict}"
