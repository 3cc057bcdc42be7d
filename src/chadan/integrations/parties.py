"""Merchants, buyers, products and payment channels of imported orders: found, or made where they are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.text import slugify

from chadan.accounts.homes import next_homes
from chadan.accounts.models import Buyer, Merchant
from chadan.catalog.models import PaymentChannel, Product, ProductVersion
from chadan.integrations.contract import ParsedBuyer, ParsedOrder, ParsedProduct
from chadan.integrations.models import ImportSource
from chadan.orders.states import PaymentMethod

PLATFORM_SLUG = "platform"
PLATFORM_NAME = "平台自营"
GUESTS = "guest"


class Place(NamedTuple):
    """Where a source merchant's orders go."""

    merchant_id: int
    home: int
    source_id: int


@dataclass(slots=True)
class Origin:
    """Which source is imported, and, when a merchant imports, into which shop everything goes."""

    format: str
    shop: str
    into: Merchant | None = None

    @property
    def key(self) -> str:
        """How merchants, products and buyers of this source are marked."""
        return f"{self.format}:{self.shop}" if self.shop else self.format

    @property
    def realm(self) -> str:
        """Where its buyers live. What one merchant imports names that merchant's own buyers, nobody else's."""
        return f"{self.key}@{self.into.pk}" if self.into else self.key


@dataclass(slots=True)
class Parties:
    """Ids of everything orders refer to, remembered for one run; made in the caller's transaction."""

    origin: Origin
    places: dict[str, Place] = field(default_factory=dict)
    buyers: dict[tuple[str, str], int] = field(default_factory=dict)
    versions: dict[tuple[int, str, str], int] = field(default_factory=dict)
    channels: dict[tuple[int, str, int], int] = field(default_factory=dict)

    def known_place(self, source_merchant: str) -> Place | None:
        """Where the merchant's orders went before; None when nothing of it was imported yet."""
        if source_merchant not in self.places:
            found = self._find(source_merchant)
            if found is None:
                return None
            self.places[source_merchant] = found
        return self.places[source_merchant]

    def prepare(self, orders: Sequence[ParsedOrder]) -> None:
        """Finds or makes everything `orders` refer to."""
        for order in orders:
            if self.known_place(order.source_merchant) is None:
                self.places[order.source_merchant] = self._make(order.source_merchant, order.merchant_name)
        self._buyers({(self.realm_of(order.buyer), order.buyer.login): order.buyer for order in orders}.values())
        self._products(orders)
        for order in orders:
            place = self.places[order.source_merchant]
            if order.payment_method is not None:
                self._channel(place, order.payment_name, order.payment_method)

    def realm_of(self, buyer: ParsedBuyer) -> str:
        """The buyer's realm: guests of all shops share one, as they do when they buy here."""
        return self.origin.realm if buyer.account else GUESTS

    def buyer_id(self, buyer: ParsedBuyer) -> int:
        """The id after `prepare`."""
        return self.buyers[self.realm_of(buyer), buyer.login.casefold()]

    def _find(self, source_merchant: str) -> Place | None:
        sources = ImportSource.objects.filter(
            format=self.origin.format, shop=self.origin.shop, source_merchant=source_merchant
        ).order_by("pk")
        if self.origin.into is not None:
            sources = sources.filter(merchant=self.origin.into)
        # A shop that imported its own orders before the platform did stays the owner of them.
        source = sources.first()
        return None if source is None else Place(source.merchant_id, source.home, source.pk)

    def _make(self, source_merchant: str, name: str) -> Place:
        merchant = self.origin.into or self._merchant(source_merchant, name)
        source = ImportSource.objects.create(
            merchant=merchant,
            home=merchant.home,
            format=self.origin.format,
            shop=self.origin.shop,
            source_merchant=source_merchant,
        )
        return Place(merchant.pk, merchant.home, source.pk)

    def _merchant(self, ref: str, name: str) -> Merchant:
        if not ref:
            merchant = Merchant.objects.filter(slug=PLATFORM_SLUG).first()
            if merchant is not None:
                return merchant
            return Merchant.objects.create(home=next_homes()[0], slug=PLATFORM_SLUG, name=PLATFORM_NAME)
        merchant = Merchant.objects.filter(source=self.origin.key, source_ref=ref).first()
        if merchant is not None:
            return merchant
        slug = slugify(f"{self.origin.key.replace(':', '-')}-{ref}")[:60]
        if Merchant.objects.filter(slug=slug).exists():
            slug = f"{slug}-{Merchant.objects.count()}"
        return Merchant.objects.create(
            home=next_homes()[0],
            slug=slug,
            name=(name or f"商户 {ref}")[:200],
            source=self.origin.key,
            source_ref=ref,
        )

    def _buyers(self, buyers: Iterable[ParsedBuyer]) -> None:
        missing = {
            (self.realm_of(buyer), buyer.login.casefold()): buyer
            for buyer in buyers
            if (self.realm_of(buyer), buyer.login.casefold()) not in self.buyers
        }
        if not missing:
            return
        Buyer.objects.bulk_create(
            (
                Buyer(realm=realm, login=buyer.login, login_key=key, name=buyer.name, name_key=buyer.name.casefold())
                for (realm, key), buyer in missing.items()
            ),
            ignore_conflicts=True,
        )
        found = Buyer.objects.filter(
            realm__in={realm for realm, _key in missing}, login_key__in=[key for _realm, key in missing]
        )
        self.buyers.update({(row.realm, row.login_key): row.pk for row in found})

    def _products(self, orders: Sequence[ParsedOrder]) -> None:
        """Products and the snapshots of them that the orders took."""
        missing: dict[tuple[int, str, str], tuple[Place, ParsedProduct]] = {}
        for order in orders:
            place, parsed = self.places[order.source_merchant], order.product
            key = (place.merchant_id, parsed.ref, parsed.variant)
            if key not in self.versions:
                missing.setdefault(key, (place, parsed))
        if not missing:
            return
        Product.objects.bulk_create(
            (
                Product(
                    merchant_id=place.merchant_id,
                    home=place.home,
                    title=parsed.title,
                    price=parsed.price,
                    source=self.origin.key,
                    source_ref=parsed.ref,
                )
                for place, parsed in missing.values()
            ),
            ignore_conflicts=True,
        )
        stored = Product.objects.filter(
            merchant_id__in={key[0] for key in missing},
            source=self.origin.key,
            source_ref__in={key[1] for key in missing},
        )
        products = {(product.merchant_id, product.source_ref): product for product in stored}
        versions = {
            (row.product_id, row.title, row.variant): row.pk
            for row in ProductVersion.objects.filter(product__in=list(products.values()))
        }
        new = {
            key: _version(products[key[:2]], parsed)
            for key, (_place, parsed) in missing.items()
            if (products[key[:2]].pk, parsed.title, parsed.variant) not in versions
        }
        ProductVersion.objects.bulk_create(new.values())
        for key, version in new.items():
            if products[key[:2]].version_id is None:
                products[key[:2]].version = version
        Product.objects.bulk_update([products[key[:2]] for key in new], ["version"], batch_size=1000)
        for key, (_place, parsed) in missing.items():
            self.versions[key] = (
                new[key].pk if key in new else versions[products[key[:2]].pk, parsed.title, parsed.variant]
            )

    def _channel(self, place: Place, name: str, method: PaymentMethod) -> None:
        key = (place.merchant_id, name, method.code)
        if key not in self.channels:
            channel, _made = PaymentChannel.objects.get_or_create(
                merchant_id=place.merchant_id, name=name[:100], defaults={"home": place.home, "method": method.code}
            )
            self.channels[key] = channel.pk


def _version(product: Product, parsed: ParsedProduct) -> ProductVersion:
    version = ProductVersion(
        merchant_id=product.merchant_id,
        home=product.home,
        product=product,
        title=parsed.title,
        brand=parsed.brand,
        category=parsed.category.code,
        category_title=parsed.category_title,
        variant=parsed.variant,
        face_value=parsed.face_value,
        delivery_kind=parsed.delivery_kind.code,
    )
    version.fill_keys()
    return version
