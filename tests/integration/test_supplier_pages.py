"""Suppliers and agents through their pages; another Chadan as supplier; prices and stock fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


@pytest.fixture(scope="module")
def suppliers(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.support.supplied import suppliers_running

    with suppliers_running(tmp_path_factory.mktemp("suppliers")) as running:
        yield running


def client_of(actor: Any) -> Any:
    from django.test import Client

    from chadan.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def test_a_supplier_is_connected_tested_mapped_and_put_to_use_by_its_pages(suppliers: Any) -> None:
    from tests.support.stock_ground import make_card_shop, status_of

    from chadan.catalog.models import ProductSource, Supplier
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = make_card_shop()
    client, theirs = client_of(shop.owner), suppliers.desk.acg.shop
    assert client.get("/m/suppliers").status_code == 200
    assert client.get("/m/suppliers/new").status_code == 200
    form = {"protocol": "acg", "name": "货源", "base_url": f"{suppliers.url}/supplier/acg", "set-app_id": theirs.key_id}
    made = client.post("/m/suppliers/new", form)
    page = made.headers["Location"]
    assert client.post(f"{page}/state", {"active": "1"}).status_code == 400
    assert client.post(page, {**form, "secret-app_key": "wrong"}).status_code == 302
    refused = client.post(f"{page}/check", {"what": "test"})
    assert refused.status_code == 400 and "密钥错误" in refused.content.decode()
    assert client.post(page, {**form, "secret-app_key": theirs.key}).status_code == 302
    assert client.post(f"{page}/check", {"what": "test"}).status_code == 302
    found = client.get(f"{page}?q=点卡").content.decode()
    assert "SBX-CARD-10" in found and "SBX-TOPUP-100" not in found and theirs.key not in found
    mapped = {"product": shop.product.pk, "ref": "SBX-CARD-10", "options": "{}", "price": "1", "stock": "1"}
    assert client.post(f"{page}/products", mapped).status_code == 302
    assert client.post(f"{page}/check", {"what": "sync"}).status_code == 302
    source = ProductSource.objects.get(product=shop.product)
    assert (source.price, source.stock) == (950, 100_000)
    supplier = Supplier.objects.get(merchant=shop.merchant)
    assert supplier.balance == theirs.balance and theirs.key.encode() not in bytes(supplier.secrets)
    assert client.post(f"{page}/state", {"active": "1"}).status_code == 302
    order_no = shop.order()
    deliver(order_no)
    assert status_of(order_no) is OrderStatus.DELIVERED
    assert client.post(f"{page}/products/{source.pk}/remove").status_code == 302
    assert not ProductSource.objects.get(pk=source.pk).active


def test_a_parked_purchase_is_decided_on_the_page(suppliers: Any) -> None:
    from tests.support.stock_ground import status_of
    from tests.support.supplied import supplied_shop

    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "acg")
    suppliers.fault("apology", protocol="acg")
    order_no = shop.order()
    deliver(order_no)
    client, address = client_of(shop.owner), f"/m/suppliers/purchases/{order_no:019d}/1"
    assert f"{order_no:019d}" in client.get("/m/suppliers").content.decode()
    assert client.post(address, {"bought": "0"}).status_code == 302
    assert status_of(order_no) is OrderStatus.FAILED
    assert client.post(address, {"bought": "0"}).status_code == 302


def test_prices_and_stock_follow_the_supplier_and_what_is_no_longer_sold_has_none(suppliers: Any) -> None:
    from tests.support.stock_ground import make_card_shop
    from tests.support.supplied import connect, source

    from chadan.catalog.models import ProductSource, Supplier
    from chadan.delivery import supply_sync
    from chadan.delivery.suppliers.base import SupplierUnreachable

    shop = make_card_shop()
    for protocol in ("acg", "dujiao"):
        supplier = connect(shop, suppliers, protocol)
        source(shop.product, supplier, ref="SBX-CARD-10" if protocol == "acg" else "1")
        source(shop.product, supplier, ref="999")
        assert supplier.pk in supply_sync.due()
        assert supply_sync.sync(supplier.pk) == 2
        found = ProductSource.objects.filter(supplier=supplier).order_by("pk").values_list("price", "stock")
        assert list(found) == [(950, 100_000), (950, 0)]
        Supplier.objects.filter(pk=supplier.pk).update(base_url="http://127.0.0.1:9")
        with pytest.raises(SupplierUnreachable):
            supply_sync.sync(supplier.pk)
        supplier.refresh_from_db()
        assert supplier.failures == 1 and supplier.last_error


def test_an_agent_is_admitted_topped_up_once_and_resells_by_the_pages() -> None:
    from tests.support.people import acting, make_merchant, make_staff
    from tests.support.stock_ground import make_card_shop

    from chadan.catalog.models import LevelPrice, Product, Reseller
    from chadan.money import balances
    from chadan.platform.scope import OPERATOR, scoped

    above = make_card_shop(open_to_agents=True)
    LevelPrice.objects.create(product=above.product, home=above.merchant.home, level=3, price=880)
    agent = make_merchant("agent")
    owner = acting(make_staff(agent))
    upper, lower = client_of(above.owner), client_of(owner)
    upper.post("/m/agents/add", {"slug": agent.slug, "level": "1"})
    standing = Reseller.objects.get(agent=agent)
    upper.post(f"/m/agents/{standing.pk}", {"level": "3", "active": "1"})
    for _click in range(2):
        upper.post(f"/m/agents/{standing.pk}/top-up", {"amount": "50", "once": "x"})
    with scoped(OPERATOR) as session:
        assert balances.wallet(session, above.merchant.pk, "agent", agent.pk) == 5000
    assert agent.name in upper.get("/m/agents").content.decode()
    page = lower.get("/m/agents").content.decode()
    assert "8.80" in page and "50.00" in page
    lower.post(f"/m/agents/resell/{above.product.pk}", {"price": "9.99"})
    product = Product.objects.get(merchant=agent)
    assert (product.price, product.cost, product.upstream_id) == (999, 880, above.product.pk)
    assert "1.19" in lower.get("/m/agents").content.decode()
    lower.post(f"/m/agents/resell/{above.product.pk}", {"price": "12"})
    assert Product.objects.filter(merchant=agent).count() == 1
    assert "whsec_" in lower.post("/m/agents/secret").content.decode()
    assert upper.post(f"/m/agents/resell/{product.pk}", {"price": "1"}).status_code == 404


def test_nobody_resells_what_comes_from_itself() -> None:
    from tests.support.agency import make_agency

    from chadan.catalog.models import Product, Reseller
    from chadan.delivery import agent_admin
    from chadan.platform.errors import InvalidInput

    agency = make_agency()
    Product.objects.filter(pk=agency.shop.product.pk).update(open_to_agents=True)
    Reseller.objects.create(
        merchant=agency.shop.merchant, home=agency.shop.merchant.home, agent=agency.above.merchant, level=1
    )
    with pytest.raises(InvalidInput):
        agent_admin.resell(agency.above.owner, agency.shop.product.pk, 1000)


def test_another_chadan_is_a_supplier_that_can_always_be_asked(suppliers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from tests.support.agency import make_agency
    from tests.support.names import unique
    from tests.support.served import pages_served
    from tests.support.stock_ground import make_card_shop, one, status_of
    from tests.support.supplied import cost_of, source

    from chadan.api.keys import create_key
    from chadan.catalog.models import Supplier
    from chadan.delivery import connections, procurement, supplier_admin, supply_sync
    from chadan.delivery.dispatch import deliver
    from chadan.delivery.suppliers.chadan import Chadan
    from chadan.orders.reveal import reveal_cards
    from chadan.orders.states import OrderStatus
    from chadan.platform import sealing

    monkeypatch.setattr(procurement, "GRACE", timedelta(0))
    agency = make_agency()
    agency.above.import_text("FAR-0001-CARD")
    key, _made = create_key(agency.shop.owner, "supply", ("supply",))
    shop = make_card_shop()
    with pages_served() as url:
        supplier = Supplier.objects.create(
            merchant=shop.merchant,
            home=shop.merchant.home,
            name=unique("far"),
            protocol="chadan",
            base_url=url,
            settings={"merchant": agency.above.merchant.slug},
            active=True,
        )
        supplier.secrets = sealing.seal(connections.place_of(supplier.pk), {"api_key": key})
        supplier.save()
        monkeypatch.setattr(connections, "callback_url", lambda _supplier: "")
        source(shop.product, supplier, ref=str(agency.above.product.pk))
        assert supplier_admin.try_out(shop.owner, supplier.pk) == 10_000
        assert supply_sync.sync(supplier.pk) == 1
        order_no = shop.order()
        real = Chadan.buy

        def breaks_off(self: Any, purchase: Any) -> Any:
            real(self, purchase)
            raise RuntimeError("the line went dead")

        monkeypatch.setattr(Chadan, "buy", breaks_off)
        deliver(order_no)
        monkeypatch.setattr(Chadan, "buy", real)
        assert status_of(order_no) is OrderStatus.PROCESSING
        procurement.follow(order_no, 1)  # they had it in stock: it was delivered in the transaction that paid it
    assert status_of(order_no) is OrderStatus.DELIVERED and cost_of(order_no) == 900
    assert reveal_cards(shop.owner, order_no) == ["FAR-0001-CARD"]
    assert one("select count(*) from orders where agent_id = %s", agency.shop.merchant.pk) == 1
