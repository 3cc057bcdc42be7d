"""What suppliers told us, and what our agents ordered through the supply API."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from chadan.accounts.models import Merchant


class SupplierCallback(models.Model):
    """One callback, raw. It is stored and committed before it is judged; `verdict` says what came of it."""

    supplier_id = models.BigIntegerField()
    home = models.SmallIntegerField()
    received_at = models.DateTimeField(auto_now_add=True)
    remote = models.CharField(max_length=64, blank=True)
    headers = models.JSONField(default=dict, help_text="those the signature covers")
    sealed = models.BinaryField(default=bytes, blank=True, help_text="the body: it may hold cards")
    order_no = models.BigIntegerField(null=True, blank=True)
    verdict = models.CharField(max_length=32, blank=True, help_text="taken, repeated, bad_signature, unknown_order")

    class Meta:
        db_table = "supplier_callbacks"
        indexes: ClassVar = [
            models.Index(fields=["supplier_id", "-id"], name="supplier_callbacks_supplier"),
            models.Index(fields=["order_no"], name="supplier_callbacks_order"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier_id} {self.received_at:%Y-%m-%d %H:%M:%S} {self.verdict}"


class SupplyOrder(models.Model):
    """An order an agent placed through the supply API, under the agent's own number, and where it wants to hear of it."""

    order_no = models.BigIntegerField(primary_key=True)
    home = models.SmallIntegerField()
    merchant_id = models.BigIntegerField()
    agent_id = models.BigIntegerField()
    product_id = models.BigIntegerField()
    your_order_no = models.CharField(max_length=64)
    callback_url = models.CharField(max_length=500, blank=True)
    told = models.CharField(max_length=32, blank=True, help_text="the status the agent last acknowledged")
    attempts = models.IntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "supply_orders"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent_id", "merchant_id", "your_order_no"], name="supply_orders_once")
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.your_order_no}"


class WebhookSecret(models.Model):
    """What signs the callbacks an agent gets; sealed (platform.sealing) and bound to the agent."""

    agent = models.OneToOneField(Merchant, on_delete=models.CASCADE, primary_key=True, related_name="+")
    sealed = models.BinaryField()
    made_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "webhook_secrets"

    def __str__(self) -> str:
        return f"webhook secret of {self.agent_id}"
