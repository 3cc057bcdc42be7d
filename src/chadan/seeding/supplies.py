"""What a demo shop buys from the sandbox's suppliers: a top-up and a card, each from one of them and, should that fail, the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chadan.accounts.actors import Actor
from chadan.catalog import products
from chadan.catalog.carriers import Carrier
from chadan.catalog.fields import Field, Kind
from chadan.catalog.models import Product, Supplier
from chadan.catalog.products import ProductData
from chadan.delivery import connections, supplier_admin
from chadan.delivery.supplier_admin import Wanted
from chadan.orders.states import Category, DeliveryKind
from chadan.sandbox.client import Sandbox
from chadan.seeding import tills

SUPPLIERS = {"dujiao": "沙箱货源 dujiao-next", "acg": "沙箱货源 acg-faka"}
_PHONE = Field("phone", Kind.PHONE, "充值手机号", "沙箱货源：尾号 0000 的号码会充值失败", carriers=(Carrier.MOBILE,))


@dataclass(frozen=True, slots=True)
class Supplied:
    """A product of the shop's; `good` is what the sandbox's suppliers call theirs, `order` which of them is asked first."""

    data: ProductData
    good: str
    order: tuple[str, str]


SOLD = (
    Supplied(
        ProductData(
            title="移动话费50元 沙箱货源代充",
            category=Category.PHONE_TOPUP,
            delivery_kind=DeliveryKind.TOPUP,
            price=4_990,
            cost=4_900,
            brand="移动",
            category_title="话费充值",
            face_value=5_000,
            fields=(_PHONE,),
            position=90,
            description="付款后由沙箱货源代充，约 6 秒到账。不会真的充值。",
        ),
        "沙盒话费 50 元",
        ("dujiao", "acg"),
    ),
    Supplied(
        ProductData(
            title="沙盒点卡10元 沙箱货源代发",
            category=Category.GAME_CARD,
            delivery_kind=DeliveryKind.CARD,
            price=990,
            cost=950,
            brand="沙盒",
            category_title="游戏点卡",
            face_value=1_000,
            max_quantity=5,
            position=90,
            description="付款后向沙箱货源下单，自动发货。",
        ),
        "沙盒点卡 10 元",
        ("acg", "dujiao"),
    ),
)


def settle_supplies(sandbox: Sandbox) -> None:
    """Connects the first shop to the sandbox's suppliers and sells what they have; an earlier start's are told where it is now."""
    shop = tills.open_shops()[0]
    owner = tills.owner_of(shop)
    theirs = sandbox.suppliers()
    known = {supplier.name: supplier for supplier in supplier_admin.listed(owner)}
    connected = {
        protocol: _connected(
            owner, known.get(name), protocol, Wanted(name, *_told(sandbox, protocol, theirs[protocol]))
        )
        for protocol, name in SUPPLIERS.items()
    }
    for sold in SOLD:
        product = Product.objects.filter(merchant=shop, title=sold.data.title).first()
        if product is not None:  # what the shop's owner has made of it since stays
            continue
        product = products.create(owner, sold.data)
        for priority, protocol in enumerate(sold.order):
            item = supplier_admin.search(owner, connected[protocol].pk, sold.good)[0]
            supplier_admin.map_product(owner, connected[protocol].pk, product.pk, item, priority)


def _connected(owner: Actor, supplier: Supplier | None, protocol: str, wanted: Wanted) -> Supplier:
    if supplier is None:
        made = supplier_admin.create(owner, protocol, wanted)
        supplier_admin.set_active(owner, made.pk, active=True)
        return made
    if supplier.base_url != wanted.base_url or dict(connections.config_of(supplier).secrets) != dict(wanted.secrets):
        return supplier_admin.change(owner, supplier.pk, wanted)
    return supplier


def _told(sandbox: Sandbox, protocol: str, shown: Mapping[str, Any]) -> tuple[str, dict[str, str], dict[str, str]]:
    """(address, settings, secrets) of a connection."""
    names = {"acg": ("app_id", "app_key"), "dujiao": ("api_key", "api_secret")}
    public, secret = names[protocol]
    return f"{sandbox.url}/supplier/{protocol}", {public: str(shown["key_id"])}, {secret: str(shown["key"])}
