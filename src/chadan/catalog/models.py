"""What is sold, and the snapshots orders keep of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from chadan.accounts.models import Merchant


class Product(models.Model):
    """A product of a merchant as it is now. `version` is the snapshot new orders take."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="products")
    home = models.SmallIntegerField()
    title = models.CharField(max_length=300)
    price = models.BigIntegerField(help_text="fen")
    active = models.BooleanField(default=True)
    source = models.CharField(max_length=64, blank=True)
    source_ref = models.CharField(max_length=64, blank=True)
    version = models.ForeignKey(
        "ProductVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="current_of"
    )

    class Meta:
        db_table = "products"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "source", "source_ref"], condition=~models.Q(source=""), name="products_source"
            )
        ]

    def __str__(self) -> str:
        return self.title


class ProductVersion(models.Model):
    """What a product was when an order took it: never changed. `*_key` columns are casefolded, for matching."""

    merchant_id = models.BigIntegerField()
    home = models.SmallIntegerField()
    product = models.ForeignKey(Product, on_delete=models.DO_NOTHING, db_constraint=False, related_name="versions")
    title = models.CharField(max_length=300)
    title_key = models.CharField(max_length=300)
    brand = models.CharField(max_length=100, blank=True)
    brand_key = models.CharField(max_length=100, blank=True)
    category = models.SmallIntegerField(help_text="orders.states.Category code")
    category_title = models.CharField(max_length=100, blank=True)
    category_key = models.CharField(max_length=100, blank=True)
    variant = models.CharField(max_length=100, blank=True)
    variant_key = models.CharField(max_length=100, blank=True)
    face_value = models.BigIntegerField(null=True, blank=True, help_text="fen")
    delivery_kind = models.SmallIntegerField(help_text="orders.states.DeliveryKind code")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "product_versions"
        indexes: ClassVar = [models.Index(fields=["merchant_id", "product"], name="product_versions_merchant")]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: object, **kwargs: object) -> None:
        """Fills the matching keys."""
        self.fill_keys()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def fill_keys(self) -> None:
        """Sets every `*_key` from its text; bulk_create needs it called."""
        self.title_key = self.title.casefold()
        self.brand_key = self.brand.casefold()
        self.category_key = self.category_title.casefold()
        self.variant_key = self.variant.casefold()


class MerchantName(models.Model):
    """Something a merchant names: a supplier, a tag."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    home = models.SmallIntegerField()
    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=100)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keeps the matching key in step."""
        self.name_key = self.name.casefold()
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Supplier(MerchantName):
    """Where a merchant buys what it tops up or delivers."""

    class Meta:
        db_table = "suppliers"
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant", "name_key"], name="suppliers_name")]


class Tag(MerchantName):
    """A merchant's own label on orders. Ids are 32-bit: orders.tags is an integer array."""

    id = models.AutoField(primary_key=True)
    colour = models.CharField(max_length=16, default="grey")

    class Meta:
        db_table = "tags"
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant", "name_key"], name="tags_name")]


class PaymentChannel(models.Model):
    """A way a merchant takes money; `payee` is who receives it."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="payment_channels")
    home = models.SmallIntegerField()
    method = models.SmallIntegerField(help_text="orders.states.PaymentMethod code")
    name = models.CharField(max_length=100)
    payee = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "payment_channels"
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant", "name"], name="payment_channels_name")]

    def __str__(self) -> str:
        return self.name


class MerchantKey(models.Model):
    """A merchant's data key for card secrets, wrapped by a key that is not in the database (DESIGN §4)."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="keys")
    home = models.SmallIntegerField()
    kek_id = models.CharField(max_length=16)
    wrapped = models.BinaryField()
    wrapped_index = models.BinaryField(help_text="wrapped key of the blind index")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "merchant_keys"

    def __str__(self) -> str:
        return f"key {self.pk} of merchant {self.merchant_id}"
