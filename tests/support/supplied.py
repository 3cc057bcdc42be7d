"""Suppliers on loopback, and a shop that buys from them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.names import unique
from tests.support.stock_ground import CardShop, make_card_shop, one, rows

from chadan.catalog.models import Product, ProductSource, Supplier
from chadan.delivery import connections
from chadan.platform import sealing
from chadan.platform.config import get_config


@dataclass
class Suppliers:
    """A running sandbox; `desk` is its suppliers' side, to look at and to upset."""

    url: str
    desk: Any

    def fault(self, kind: str, value: float = 0.0, *, protocol: str = "", times: int = 1) -> None:
        from chadan.sandbox.supplier.shop import Standing, SupplyFault

        self.desk.faults.add(Standing(SupplyFault(kind), value, protocol, times))

    def orders(self, protocol: str) -> list[Any]:
        return list(getattr(self.desk, protocol).shop.orders)


@contextmanager
def suppliers_running(folder: Path) -> Iterator[Suppliers]:
    """The sandbox, and leave to call it."""
    from chadan.sandbox.server import SandboxServer

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHADAN_SANDBOX", "1")
        get_config.cache_clear()
        with SandboxServer(folder) as server:
            desk = server.desk
            yield Suppliers(server.url, desk)
    get_config.cache_clear()


def connect(shop: CardShop, suppliers: Suppliers, protocol: str) -> Supplier:
    """A connection of the shop to one of the sandbox's suppliers."""
    theirs = getattr(suppliers.desk, protocol).shop
    settings, secrets = (
        ({"app_id": theirs.key_id}, {"app_key": theirs.key})
        if protocol == "acg"
        else ({"api_key": theirs.key_id}, {"api_secret": theirs.key})
    )
    supplier = Supplier.objects.create(
        merchant=shop.merchant,
        home=shop.merchant.home,
        name=unique(protocol),
        protocol=protocol,
        base_url=f"{suppliers.url}/supplier/{protocol}",
        settings=settings,
        active=True,
    )
    supplier.secrets = sealing.seal(connections.place_of(supplier.pk), secrets)
    supplier.save()
    return supplier


def source(product: Product, supplier: Supplier, ref: str = "1", priority: int = 0, **more: Any) -> ProductSource:
    """`ref` 1 is a card, 3 a top-up, at both suppliers."""
    return ProductSource.objects.create(
        product=product, home=product.home, supplier=supplier, ref=ref, priority=priority, price=950, **more
    )


def supplied_shop(suppliers: Suppliers, *protocols: str) -> CardShop:
    """A shop whose card product comes from suppliers of these protocols, in that order."""
    shop = make_card_shop()
    for priority, protocol in enumerate(protocols):
        source(shop.product, connect(shop, suppliers, protocol), priority=priority)
    return shop


def purchases(order_no: int) -> list[tuple[Any, ...]]:
    """(status, supplier_no given, attempts) of every delivery of the order."""
    return rows(
        "select status, supplier_no <> '', attempts from order_deliveries where order_no = %s order by seq", order_no
    )


def cost_of(order_no: int) -> int:
    return int(one("select cost from orders where order_no = %s", order_no))


def dujiao_report(client: Any, supplier_id: int, api_key: str, theirs: Any, secret: str, **changes: Any) -> Any:
    """What a dujiao shop sends of one of its orders, signed with `secret`."""
    from chadan.delivery.suppliers.dujiao import CALLBACK_PATH, signature

    said = {
        "event": "order.fulfilled",
        "order_id": theirs.number,
        "downstream_order_no": theirs.request_no,
        "status": "delivered",
        "amount": f"{theirs.amount // 100}.{theirs.amount % 100:02d}",
        "fulfillment": {"status": "delivered", "payload": theirs.secret},
    }
    body = json.dumps({**said, **changes})
    stamp = str(int(time.time()))
    headers = {
        "dujiao-next-api-key": api_key,
        "dujiao-next-timestamp": stamp,
        "dujiao-next-signature": signature(secret, "POST", CALLBACK_PATH, stamp, body.encode()),
    }
    return client.post(f"/supply/notify/{supplier_id}/", body, content_type="application/json", headers=headers)
