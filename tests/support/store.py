"""Shops with something to sell, and browsers in front of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chadan.catalog.fields import Field, Kind
from chadan.orders.states import Category, DeliveryKind

if TYPE_CHECKING:
    from chadan.accounts.models import Merchant
    from chadan.catalog.models import Product

PHONE_FIELD = Field("phone", Kind.PHONE, "充值手机号")


def people() -> Any:
    """tests.support.people, which can be imported only once Django is set up."""
    from tests.support import people

    return people


def make_product(merchant: Merchant, **given: Any) -> Product:
    """A top-up for 98.00 on sale, made as its owner makes it."""
    from chadan.catalog.products import ProductData, create

    owner = people().acting(people().make_staff(merchant))
    data: dict[str, Any] = {
        "title": "话费 100 元",
        "category": Category.PHONE_TOPUP,
        "delivery_kind": DeliveryKind.TOPUP,
        "price": 9800,
        "cost": 9500,
        "max_quantity": 5,
        "fields": [PHONE_FIELD],
        "description": "几分钟内到账",
        **given,
    }
    return create(owner, ProductData(**data))


def make_store(**given: Any) -> tuple[Merchant, Product]:
    """A shop with one product."""
    merchant = people().make_merchant("store")
    return merchant, make_product(merchant, **given)


def path_of(merchant: Merchant, product: Product) -> str:
    """The product's page."""
    return f"/s/{merchant.slug}/p/{product.pk}"


def form_of(page: Any) -> dict[str, str]:
    """The hidden values of the page's order form."""
    found = re.findall(r'<input type="hidden" name="(token|price|quantity)" value="([^"]*)"', page.content.decode())
    return dict(found)


def order(client: Any, path: str, **typed: str) -> Any:
    """Opens the product's page and sends its form; a guest with the contact 13800138000 unless told otherwise."""
    hidden = form_of(client.get(path))
    sent = {"quantity": "1", "f-phone": "13812345678", "contact": "13800138000", **hidden, **typed}
    return client.post(path, {name.replace("__", "-"): value for name, value in sent.items()})


def number_in(response: Any) -> str:
    """The order number a placement leads to."""
    found = re.search(r"/(\d{19})", response.headers["Location"])
    assert found, response.headers["Location"]
    return found[1]
