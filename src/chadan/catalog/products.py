"""Making and changing products. What orders keep of a product is a version: touching it makes a new one (docs/decisions/003)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.fields import Field
from chadan.catalog.models import LevelPrice, Product, ProductVersion
from chadan.orders.states import Category, DeliveryKind
from chadan.platform.errors import Forbidden, NotFound

LEVELS = (1, 2, 3, 4, 5)
_SNAPSHOT = ("title", "brand", "category", "category_title", "variant", "face_value", "delivery_kind")
_OWN = (
    *("title", "price", "description", "min_quantity", "max_quantity", "split_delivery", "sla_minutes", "low_stock"),
    *("position", "open_to_agents"),
)


@dataclass(frozen=True, slots=True)
class ProductData:
    """A product as its merchant describes it. Money is fen; `cost` None leaves what is stored, `levels` are fen by level."""

    title: str
    category: Category
    delivery_kind: DeliveryKind
    price: int
    brand: str = ""
    category_title: str = ""
    variant: str = ""
    face_value: int | None = None
    cost: int | None = None
    levels: Mapping[int, int] = field(default_factory=dict)
    min_quantity: int = 1
    max_quantity: int = 1
    fields: Sequence[Field] = ()
    split_delivery: bool = False
    sla_minutes: int = 10
    low_stock: int | None = None
    position: int = 0
    open_to_agents: bool = False
    description: str = ""


def product_of(actor: Actor, product_id: int) -> Product:
    """The actor's shop's product. Raises Forbidden without the permission, NotFound for another's."""
    product = Product.objects.filter(pk=product_id, merchant_id=shop_of(actor)).select_related("version").first()
    if product is None:
        raise NotFound(_("There is no such product."))
    return product


def shop_of(actor: Actor) -> int:
    """The merchant whose products the actor manages. Raises Forbidden."""
    if actor.merchant_id is None:
        raise Forbidden(_("Only a shop has products."))
    actor.require(Permission.MANAGE)
    return actor.merchant_id


def create(actor: Actor, data: ProductData) -> Product:
    """A new product, on sale at once, with its first version."""
    merchant_id = shop_of(actor)
    assert actor.home is not None  # noqa: S101 - a merchant has a home
    with transaction.atomic():
        product = Product(merchant_id=merchant_id, home=actor.home)
        return _write(product, data)


def update(actor: Actor, product_id: int, data: ProductData) -> Product:
    """The product changed; orders placed before keep what they were placed for. Raises NotFound."""
    with transaction.atomic():
        product_of(actor, product_id)
        return _write(
            Product.objects.select_for_update(of=("self",)).select_related("version").get(pk=product_id), data
        )


def set_active(actor: Actor, product_id: int, *, active: bool) -> Product:
    """Puts a product on sale or takes it off. Raises NotFound."""
    product = product_of(actor, product_id)
    Product.objects.filter(pk=product.pk).update(active=active)
    product.active = active
    return product


def _write(product: Product, data: ProductData) -> Product:
    for name in _OWN:
        setattr(product, name, getattr(data, name))
    product.fields = [each.as_json() for each in data.fields]
    if data.cost is not None:
        product.cost = data.cost
    product.save()
    if any(each.regions for each in data.fields):
        _learn_regions()
    snapshot = _snapshot(data)
    version = product.version
    if version is None or any(getattr(version, name) != snapshot[name] for name in _SNAPSHOT):
        product.version = ProductVersion.objects.create(
            merchant_id=product.merchant_id, home=product.home, product=product, **snapshot
        )
        product.save(update_fields=["version"])
    _write_levels(product, data.levels)
    return product


def any_regional() -> bool:
    """Whether some product on sale is for some provinces only."""
    found = Product.objects.filter(active=True).exclude(fields=[]).values_list("fields", flat=True)
    return any(each.get("regions") for fields in found.iterator() for each in fields)


def _learn_regions() -> None:
    """Defers the job that makes the table of segments, unless it was made or is about to be."""
    from procrastinate.exceptions import AlreadyEnqueued

    from chadan.catalog import regions
    from chadan.catalog.tasks import learn_regions

    if regions.ready():
        return
    with suppress(AlreadyEnqueued), transaction.atomic():  # a savepoint: a duplicate would abort the transaction
        learn_regions.defer()


def _snapshot(data: ProductData) -> dict[str, object]:
    values = {name: getattr(data, name) for name in _SNAPSHOT}
    return {**values, "category": data.category.code, "delivery_kind": data.delivery_kind.code}


def _write_levels(product: Product, levels: Mapping[int, int]) -> None:
    LevelPrice.objects.filter(product=product).exclude(level__in=levels).delete()
    for level, price in levels.items():
        LevelPrice.objects.update_or_create(
            product=product, level=level, defaults={"price": price, "home": product.home}
        )
