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
    description = models.TextField(blank=True, db_default="")
    cost = models.BigIntegerField(default=0, db_default=0, help_text="fen a piece, when no supplier says otherwise")
    min_quantity = models.IntegerField(default=1, db_default=1)
    max_quantity = models.IntegerField(default=1, db_default=1)
    fields = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        help_text="what the buyer fills in: catalog.fields kinds",
    )
    split_delivery = models.BooleanField(
        default=False, db_default=False, help_text="deliver the cards there are when some are missing"
    )
    sla_minutes = models.IntegerField(default=10, db_default=10, help_text="paid for longer than this: stuck")
    low_stock = models.IntegerField(null=True, blank=True, help_text="warn below so many cards")
    position = models.IntegerField(default=0, db_default=0, help_text="place in its category on the storefront")
    open_to_agents = models.BooleanField(default=False, db_default=False)
    upstream = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="resold_as",
        help_text="the upstream merchant's product that an agent resells",
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


class LevelPrice(models.Model):
    """A product's price for buyers or agents of a level; level 0 is everybody and stands in Product.price."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="level_prices")
    home = models.SmallIntegerField()
    level = models.SmallIntegerField(help_text="1 and up")
    price = models.BigIntegerField(help_text="fen")

    class Meta:
        db_table = "level_prices"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product", "level"], name="level_prices_once"),
            models.CheckConstraint(condition=models.Q(level__gte=1, price__gte=0), name="level_prices_sane"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}/{self.level}"


class BuyerLevel(models.Model):
    """The price level a merchant gave a buyer."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="buyer_levels")
    home = models.SmallIntegerField()
    buyer_id = models.BigIntegerField()
    level = models.SmallIntegerField()

    class Meta:
        db_table = "buyer_levels"
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant", "buyer_id"], name="buyer_levels_once")]

    def __str__(self) -> str:
        return f"{self.buyer_id}: {self.level}"


class Reseller(models.Model):
    """An agent that may resell a merchant's products at a level's prices."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="resellers")
    home = models.SmallIntegerField()
    agent = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="upstreams")
    level = models.SmallIntegerField(default=1)
    active = models.BooleanField(default=True)

    class Meta:
        db_table = "resellers"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "agent"], name="resellers_once"),
            models.CheckConstraint(condition=~models.Q(merchant=models.F("agent")), name="resellers_not_self"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} of {self.merchant_id}"


class Supplier(MerchantName):
    """Where a merchant buys what it tops up or delivers.

    `protocol` "" is a name only (imports, manual work). `secrets` is sealed (platform.sealing) and bound to the row.
    """

    protocol = models.CharField(
        max_length=16, blank=True, db_default="", help_text="delivery.suppliers: acg, dujiao, chadan"
    )
    base_url = models.CharField(max_length=300, blank=True, db_default="")
    settings = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()), blank=True)
    secrets = models.BinaryField(default=bytes, db_default=b"", blank=True)
    active = models.BooleanField(default=False, db_default=False)
    failures = models.IntegerField(default=0, db_default=0, help_text="calls that failed in a row")
    last_error = models.CharField(max_length=300, blank=True, db_default="")
    healthy_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    balance = models.BigIntegerField(null=True, blank=True, help_text="fen we hold with the supplier, as last told")
    synced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "suppliers"
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant", "name_key"], name="suppliers_name")]


class ProductSource(models.Model):
    """Which supplier's product delivers ours; the lowest `priority` that is active and healthy is tried first."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="sources")
    home = models.SmallIntegerField()
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="products")
    ref = models.CharField(max_length=100, help_text="the supplier's product or SKU")
    options = models.JSONField(default=dict, blank=True, help_text="what the protocol needs besides: race, sku")
    priority = models.SmallIntegerField(default=0)
    active = models.BooleanField(default=True)
    price = models.BigIntegerField(null=True, blank=True, help_text="fen, as last told")
    stock = models.IntegerField(null=True, blank=True, help_text="as last told")
    synced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "product_sources"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product", "supplier", "ref"], name="product_sources_once")
        ]

    def __str__(self) -> str:
        return f"{self.product_id} from {self.supplier_id}"


class Tag(MerchantName):
    """A merchant's own label on orders. Ids are 32-bit: orders.tags is an integer array.

    `leaving`: a job takes it off its orders, or gives them `into` instead, and then removes it.
    """

    COLOURS: ClassVar = ("grey", "red", "orange", "amber", "green", "teal", "blue", "indigo", "pink")
    """The tones of the design tokens, each readable on light and on dark."""

    id = models.AutoField(primary_key=True)
    colour = models.CharField(max_length=16, default="grey")
    leaving = models.BooleanField(default=False, db_default=False)
    into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        db_table = "tags"
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant", "name_key"], name="tags_name")]


class PaymentChannel(models.Model):
    """A way a merchant takes money; `payee` is who receives it.

    `protocol` "" is a name only: channels that imported orders were paid through. `secrets` is sealed (platform.sealing)
    and bound to the row. `enabled` is set by payments.channels alone, which refuses an unsafe channel.
    """

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="payment_channels")
    home = models.SmallIntegerField()
    method = models.SmallIntegerField(help_text="orders.states.PaymentMethod code")
    name = models.CharField(max_length=100)
    payee = models.CharField(max_length=200, blank=True)
    protocol = models.CharField(
        max_length=16, blank=True, db_default="", help_text="payments.gateways: epay1, epay2, alipay, …"
    )
    settings = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()), blank=True)
    secrets = models.BinaryField(default=bytes, db_default=b"", blank=True)
    enabled = models.BooleanField(default=False, db_default=False)
    fee_rate = models.IntegerField(default=0, db_default=0, help_text="the gateway's share in 1/10,000")
    position = models.IntegerField(default=0, db_default=0)

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
