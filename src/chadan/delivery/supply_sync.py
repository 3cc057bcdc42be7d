"""What suppliers ask and have: our balance with them, and the price and stock of what we buy there."""

from __future__ import annotations

from django.db import connection

from chadan.catalog.models import ProductSource, Supplier
from chadan.delivery import connections
from chadan.delivery.suppliers.base import Item, SupplierApi, SupplierRefused
from chadan.delivery.suppliers.registry import PROTOCOLS
from chadan.orders import number
from chadan.platform.errors import ChadanError


def due() -> list[int]:
    """Active connections, those longest unheard of first."""
    active = Supplier.objects.filter(active=True, protocol__in=list(PROTOCOLS)).order_by("synced_at")
    return list(active.values_list("pk", flat=True))


def sync(supplier_id: int) -> int:
    """Asks one supplier and writes what it says; returns how many of its products were updated.

    A product the supplier no longer sells has stock 0. Called outside a transaction. Raises what the supplier's protocol raises,
    after noting it as the connection's health.
    """
    if connection.in_atomic_block:
        raise RuntimeError("suppliers are called outside transactions")
    supplier = Supplier.objects.get(pk=supplier_id)
    sources = list(ProductSource.objects.filter(supplier=supplier))
    try:
        api = connections.api_of(supplier)
        balance = api.balance()
        listed = {item.ref: item for item in api.items()} if sources else {}
        found = {source.pk: _item(api, source, listed) for source in sources}
    except SupplierRefused as error:
        connections.complained(supplier_id, error.message)
        raise
    except ChadanError as error:
        connections.failed(supplier_id, error.message)
        raise
    connections.succeeded(supplier_id)
    now = number.now()
    for source in sources:
        item = found[source.pk]
        source.stock = item.stock if item else 0
        source.price = item.price if item and item.price is not None else source.price
        source.synced_at = now
    ProductSource.objects.bulk_update(sources, ["stock", "price", "synced_at"])
    Supplier.objects.filter(pk=supplier_id).update(balance=balance, synced_at=now)
    return len(sources)


def _item(api: SupplierApi, source: ProductSource, listed: dict[str, Item]) -> Item | None:
    """One product as the supplier sells it; None when it does not. Its own question is asked only where the list says too little."""
    chosen = bool(source.options.get("race") or source.options.get("sku"))
    item = listed.get(source.ref)
    if item is not None and item.stock is not None and not chosen:
        return item
    try:
        return api.item(source.ref, source.options)
    except SupplierRefused:
        return item if not chosen else None
