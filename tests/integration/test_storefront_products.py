"""The merchant's products: making, changing, versions, and who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from tests.support.store import make_product, make_store, people

pytestmark = pytest.mark.integration
FORM = {
    "title": "Q币 100个",
    "category": "game_card",
    "category_title": "游戏",
    "brand": "腾讯",
    "variant": "100个",
    "face_value": "100",
    "delivery_kind": "topup",
    "price": "97.50",
    "cost": "95",
    "min_quantity": "1",
    "max_quantity": "10",
    "sla_minutes": "5",
    "low_stock": "",
    "position": "0",
    "description": "说明",
    "level_1": "96.80",
    "kind_0": "qq",
    "label_0": "QQ号",
    "required_0": "on",
    "kind_1": "phone",
    "carriers_1": ["mobile", "broadnet"],
}


@pytest.fixture(autouse=True)
def ready(database: Any) -> None:
    """Every test here needs the database."""


def staff(role: str = "owner", merchant: Any = None) -> tuple[Any, Client]:
    merchant = merchant or people().make_merchant("goods")
    client = Client()
    client.force_login(people().make_staff(merchant, role))
    return merchant, client


def test_an_owner_makes_a_product_and_guests_see_it():
    from chadan.catalog.models import Product

    merchant, client = staff()
    assert client.post("/m/products/new", FORM).status_code == 302
    product = Product.objects.select_related("version").get(merchant=merchant)
    version = product.version
    assert (product.price, product.cost, product.max_quantity, product.active) == (9750, 9500, 10, True)
    assert (version.title, version.brand, version.face_value, version.title_key) == (
        "Q币 100个",
        "腾讯",
        10_000,
        "q币 100个",
    )
    assert list(product.level_prices.values_list("level", "price")) == [(1, 9680)]
    assert [(each["name"], each["required"], each["carriers"]) for each in product.fields] == [
        ("qq", True, []),
        ("phone", False, ["mobile", "broadnet"]),
    ]
    page = Client().get(f"/s/{merchant.slug}/p/{product.pk}").content.decode()
    assert "QQ号" in page and "¥97.50" in page


def test_a_change_of_what_orders_keep_makes_a_new_version_and_others_do_not():
    from chadan.catalog.models import Product

    merchant, client = staff()
    client.post("/m/products/new", FORM)
    product = Product.objects.get(merchant=merchant)
    first = product.version_id
    order = people().make_order(merchant, people().make_user("v").buyer, product.version)
    client.post(f"/m/products/{product.pk}", {**FORM, "price": "99", "description": "另一种说明", "level_1": ""})
    product.refresh_from_db()
    assert (product.version_id, product.price) == (first, 9900) and not product.level_prices.exists()
    client.post(f"/m/products/{product.pk}", {**FORM, "variant": "一百个"})
    product.refresh_from_db()
    assert product.version_id != first and product.versions.count() == 2
    shown = client.get(f"/m/orders/{order:019d}").content.decode()
    assert "100个" in shown and "一百个" not in shown, "an order shows what was bought"


def test_the_form_shows_what_is_stored_and_what_is_wrong():
    from chadan.catalog.models import Product

    merchant, client = staff()
    client.post("/m/products/new", FORM)
    product = Product.objects.get(merchant=merchant)
    page = client.get(f"/m/products/{product.pk}").content.decode()
    assert 'value="97.5"' in page and 'value="QQ号"' in page
    wrong = client.post(f"/m/products/{product.pk}", {**FORM, "price": "-1", "max_quantity": "0", "title": ""})
    assert wrong.status_code == 400 and wrong.content.decode().count("errorlist") >= 3
    swapped = client.post("/m/products/new", {**FORM, "min_quantity": "9", "max_quantity": "2"})
    assert "最多购买小于最少购买" in swapped.content.decode()
    assert Product.objects.filter(merchant=merchant).count() == 1


def test_products_go_off_sale_and_come_back():
    merchant, client = staff()
    product = make_product(merchant)
    client.post(f"/m/products/{product.pk}/state", {"active": "0"})
    assert Client().get(f"/s/{merchant.slug}/p/{product.pk}").status_code == 404
    assert product.title in client.get("/m/products?state=off").content.decode()
    assert product.title not in client.get("/m/products?state=on").content.decode()
    client.post(f"/m/products/{product.pk}/state", {"active": "1"})
    assert Client().get(f"/s/{merchant.slug}/p/{product.pk}").status_code == 200
    assert product.title in client.get("/m/products?q=话费").content.decode()
    assert "没有符合的商品" in client.get("/m/products?q=zzz").content.decode()


def test_only_who_may_manage_and_only_who_may_see_costs():
    from chadan.catalog.models import Product

    merchant = people().make_merchant("rights")
    product = make_product(merchant)
    for role in ("finance", "support"):
        client = staff(role, merchant)[1]
        for path in ("/m/products", "/m/products/new", f"/m/products/{product.pk}"):
            assert client.get(path).status_code == 403
        assert client.post(f"/m/products/{product.pk}/state", {"active": "0"}).status_code == 403
        assert client.get("/m/shop").headers["Location"] == f"/s/{merchant.slug}"
    operator = staff("operator", merchant)[1]
    page = operator.get(f"/m/products/{product.pk}").content.decode()
    assert 'name="price"' in page and 'name="cost"' not in page
    assert operator.post(f"/m/products/{product.pk}", {**FORM, "cost": "1"}).status_code == 302
    assert Product.objects.get(pk=product.pk).cost == 9500, "a cost nobody was shown stays"


def test_another_shops_product_is_not_there():
    from chadan.catalog.models import Product

    _merchant, product = make_store()
    client = staff()[1]
    assert client.get(f"/m/products/{product.pk}").status_code == 404
    assert client.post(f"/m/products/{product.pk}", FORM).status_code == 404
    assert client.post(f"/m/products/{product.pk}/state", {"active": "0"}).status_code == 404
    assert Product.objects.get(pk=product.pk).active


def test_a_price_level_is_given_by_login_or_order_and_changes_the_price():
    from chadan.exports.models import AuditEvent
    from chadan.storefront.offers import price_of

    merchant, client = staff()
    product = make_product(merchant, levels={2: 9000})
    buyer = people().make_user("regular").buyer
    order_no = people().make_order(merchant, buyer, product.version)
    assert client.post("/m/products/levels", {"who": f"{order_no:019d}", "level": "2"}).status_code == 302
    assert price_of(product, buyer.pk) == 9000
    assert buyer.login in client.get("/m/products/levels").content.decode()
    assert client.post("/m/products/levels", {"who": buyer.login.upper(), "level": "0"}).status_code == 302
    assert price_of(product, buyer.pk) == 9800
    told = AuditEvent.objects.filter(merchant_id=merchant.pk, type="buyer.level").order_by("pk")
    assert [event.details["level"] for event in told] == [2, 0]


@pytest.mark.parametrize(
    "typed", [{"who": "nobody", "level": "1"}, {"who": "", "level": "1"}, {"who": "LOGIN", "level": "9"}]
)
def test_a_price_level_for_nobody_or_that_does_not_exist_is_refused(typed: dict[str, str]):
    from chadan.catalog.models import BuyerLevel

    merchant, client = staff()
    login = people().make_user("regular").buyer.login
    refused = client.post("/m/products/levels", {**typed, "who": typed["who"].replace("LOGIN", login)})
    assert refused.status_code == 400
    assert not BuyerLevel.objects.filter(merchant=merchant).exists()


def test_another_shops_order_and_a_guest_get_no_price_level():
    merchant, client = staff()
    _other, product = make_store()
    buyer = people().make_user("regular").buyer
    theirs = people().make_order(product.merchant, buyer, product.version)
    assert client.post("/m/products/levels", {"who": f"{theirs:019d}", "level": "1"}).status_code == 400
    from chadan.accounts.models import Buyer

    guest = Buyer.objects.create(realm="guest", login="13911112222", login_key="13911112222")
    ours = people().make_order(merchant, guest, make_product(merchant).version)
    assert client.post("/m/products/levels", {"who": f"{ours:019d}", "level": "1"}).status_code == 400


@pytest.mark.parametrize(("role", "status"), [("operator", 200), ("finance", 403), ("support", 403)])
def test_only_who_manages_the_shop_gives_price_levels(role: str, status: int):
    _merchant, client = staff(role)
    assert client.get("/m/products/levels").status_code == status
