"""A shop's connections to suppliers: made, changed, tried, and which of their products deliver ours.

Public settings stand in the row, secrets are sealed and bound to it. A secret that was entered is never shown again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import Product, ProductSource, Supplier
from chadan.delivery import audit, connections
from chadan.delivery.suppliers.base import Item
from chadan.delivery.suppliers.registry import PROTOCOLS, protocol_of
from chadan.orders.events import actor_json
from chadan.platform import sealing
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound

_LONG = 300
MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form says of a connection. An empty secret keeps the one that is set."""

    name: str
    base_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class Unsafe(Conflict):
    """The connection is incomplete or unsafe."""

    code = "unsafe_supplier"


def listed(actor: Actor) -> list[Supplier]:
    """The acting shop's connections, those in use first. Raises Forbidden."""
    merchant_id, _home = _shop(actor)
    found = Supplier.objects.filter(merchant_id=merchant_id, protocol__in=list(PROTOCOLS))
    return list(found.order_by("-active", "name_key"))


def get(actor: Actor, supplier_id: int) -> Supplier:
    """One connection. Raises Forbidden, and NotFound alike for another's and for none."""
    merchant_id, _home = _shop(actor)
    found = Supplier.objects.filter(pk=supplier_id, merchant_id=merchant_id, protocol__in=list(PROTOCOLS)).first()
    if found is None:
        raise NotFound(_("There is no such supplier."))
    return found


def create(actor: Actor, protocol: str, wanted: Wanted) -> Supplier:
    """Makes a connection, not in use yet. A name known from imports becomes the connection. Raises Forbidden, InvalidInput."""
    merchant_id, home = _shop(actor)
    protocol_of(protocol)
    name = _name(wanted)
    with _unique(), transaction.atomic():
        known = Supplier.objects.filter(merchant_id=merchant_id, name_key=name.casefold(), protocol="").first()
        supplier = known or Supplier(merchant_id=merchant_id, home=home)
        supplier.protocol, supplier.active = protocol, False
        _write(actor, supplier, wanted)
        _record(actor, "supplier.created", supplier, {"protocol": protocol, "name": name})
    return supplier


def change(actor: Actor, supplier_id: int, wanted: Wanted) -> Supplier:
    """Changes a connection; one in use has to stay complete. Raises Forbidden, NotFound, InvalidInput, Unsafe."""
    with _unique(), transaction.atomic():
        get(actor, supplier_id)
        supplier = Supplier.objects.select_for_update().get(pk=supplier_id)
        _write(actor, supplier, wanted)
        if supplier.active and (found := problems(supplier)):
            raise Unsafe(" ".join(found))
        _record(actor, "supplier.changed", supplier, {"name": supplier.name, "base_url": supplier.base_url})
    return supplier


def set_active(actor: Actor, supplier_id: int, *, active: bool) -> None:
    """Buys through the connection, or no more; purchases under way are still followed. Raises Forbidden, NotFound, Unsafe."""
    supplier = get(actor, supplier_id)
    if active and (found := problems(supplier)):
        raise Unsafe(_("This supplier cannot be used yet."), hint=" ".join(found))
    with transaction.atomic():
        changes: dict[str, object] = {"active": active}
        if active:
            changes |= {"failures": 0, "last_error": ""}
        Supplier.objects.filter(pk=supplier.pk).update(**changes)
        _record(actor, "supplier.enabled" if active else "supplier.disabled", supplier, {})


def problems(supplier: Supplier) -> list[str]:
    """Why the connection cannot be used, in sentences; none for a sound one."""
    return connections.api_of(supplier).problems()


def set_secrets(supplier: Supplier) -> set[str]:
    """Which secrets are set; never what they are."""
    return {name for name, value in connections.config_of(supplier).secrets.items() if value}


def try_out(actor: Actor, supplier_id: int) -> int | None:
    """Asks the supplier for our balance, in fen. Raises Forbidden, NotFound, SupplierUnreachable, SupplierRefused."""
    supplier = get(actor, supplier_id)
    balance = connections.api_of(supplier).balance()
    connections.succeeded(supplier.pk)
    Supplier.objects.filter(pk=supplier.pk).update(balance=balance)
    return balance


def search(actor: Actor, supplier_id: int, words: str) -> list[Item]:
    """What the supplier sells whose title or number holds every word. Raises as `try_out`."""
    supplier = get(actor, supplier_id)
    wanted = words.casefold().split()
    found = [
        item
        for item in connections.api_of(supplier).items()
        if all(word in f"{item.title} {item.ref}".casefold() for word in wanted)
    ]
    return found[:MOST_FOUND]


def sources_of(actor: Actor, supplier_id: int) -> list[ProductSource]:
    """Which of our products the supplier delivers."""
    supplier = get(actor, supplier_id)
    return list(ProductSource.objects.filter(supplier=supplier).select_related("product").order_by("product__title"))


def products_of(actor: Actor) -> list[Product]:
    """Our products that a supplier may deliver: those that are not an upstream shop's."""
    merchant_id, _home = _shop(actor)
    return list(Product.objects.filter(merchant_id=merchant_id, upstream=None, active=True).order_by("title"))


def map_product(actor: Actor, supplier_id: int, product_id: int, item: Item, priority: int = 0) -> ProductSource:
    """Lets the supplier's item deliver our product. Raises Forbidden, NotFound, InvalidInput."""
    supplier = get(actor, supplier_id)
    product = Product.objects.filter(pk=product_id, merchant_id=supplier.merchant_id, upstream=None).first()
    if product is None:
        raise NotFound(_("There is no such product."))
    if not item.ref or len(item.ref) > 100 or not 0 <= priority <= 1000:
        raise InvalidInput(_("Choose one of the supplier's products."), field="ref")
    with transaction.atomic():
        source, _made = ProductSource.objects.update_or_create(
            product=product,
            supplier=supplier,
            ref=item.ref,
            defaults={
                "home": product.home,
                "options": dict(item.options),
                "priority": priority,
                "active": True,
                "price": item.price,
                "stock": item.stock,
            },
        )
        _record(actor, "supplier.mapped", supplier, {"product": product.pk, "ref": item.ref, "priority": priority})
    return source


def unmap(actor: Actor, supplier_id: int, source_id: int) -> None:
    """Stops buying a product from the supplier; purchases under way are still followed. Raises Forbidden, NotFound."""
    supplier = get(actor, supplier_id)
    source = ProductSource.objects.filter(pk=source_id, supplier=supplier).first()
    if source is None:
        raise NotFound(_("There is no such supplier."))
    with transaction.atomic():
        ProductSource.objects.filter(pk=source.pk).update(active=False)
        _record(actor, "supplier.unmapped", supplier, {"product": source.product_id, "ref": source.ref})


def _shop(actor: Actor) -> tuple[int, int]:
    actor.require(Permission.MANAGE)
    if actor.merchant_id is None or actor.home is None:
        raise Forbidden(_("Suppliers belong to a shop."), hint=_("Switch to the shop."))
    return actor.merchant_id, actor.home


def _name(wanted: Wanted) -> str:
    name = wanted.name.replace("\x00", "").strip()
    if not 0 < len(name) <= 100:
        raise InvalidInput(_("Give the supplier a name of at most 100 characters."), field="name")
    return name


def _write(actor: Actor, supplier: Supplier, wanted: Wanted) -> None:
    api = protocol_of(supplier.protocol)
    kept = dict(connections.config_of(supplier).secrets) if supplier.pk else {}
    supplier.name = _name(wanted)
    supplier.base_url = _clean(wanted.base_url, "base_url").rstrip("/")
    supplier.settings = {name: _clean(wanted.settings.get(name, ""), name) for name in api.setting_names}
    supplier.save()
    entered = {name: _clean(wanted.secrets[name], name) for name in api.secret_names if wanted.secrets.get(name)}
    together = {name: value for name, value in {**kept, **entered}.items() if name in api.secret_names}
    supplier.secrets = sealing.seal(connections.place_of(supplier.pk), together) if together else b""
    supplier.save(update_fields=["secrets"])
    if entered:
        _record(actor, "supplier.secrets", supplier, {"entered": sorted(entered)})


def _clean(value: str, name: str) -> str:
    value = value.replace("\x00", "").strip()
    if len(value) > _LONG:
        raise InvalidInput(_("That is too long."), field=name)
    return value


def _record(actor: Actor, event: str, supplier: Supplier, details: Mapping[str, object]) -> None:
    audit.record(event, supplier.merchant_id, f"supplier:{supplier.pk}", actor_json(actor), details)


class _unique:  # noqa: N801 - reads as a word of the with statement
    """Turns the database's word on a second supplier of the same name into a sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, IntegrityError) and "suppliers_name" in str(error):
            raise InvalidInput(_("Another supplier has this name."), field="name") from error
