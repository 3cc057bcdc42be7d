"""The demo's tills, wallets and living orders: made once, found again, following the sandbox to another port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
SITE = "http://127.0.0.1:18731"


@pytest.fixture
def shops(database: Any) -> dict[str, Any]:
    """The demo's shops, people and a few products, without the seed's thousands of orders."""
    from tests.support.people import make_user

    from chadan.accounts.models import Buyer, Membership, Merchant, Role, User
    from chadan.seeding.names import FIXED
    from chadan.seeding.tills import OPEN_SHOPS

    if not User.objects.filter(is_operator=True).exists():
        make_user("platform", is_operator=True, buyer=False)
    for login, name in FIXED:
        user, _made = User.objects.get_or_create(username=login)
        Buyer.objects.get_or_create(user=user, defaults={"login": login, "name": name})
    made = {}
    for place, slug in enumerate(OPEN_SHOPS):
        defaults = {"name": slug, "home": 700 + place, "is_agent": place == 2}
        made[slug], _new = Merchant.objects.get_or_create(slug=slug, defaults=defaults)
        owner, _new = User.objects.get_or_create(username=f"{slug}-owner")
        Membership.objects.get_or_create(user=owner, merchant=made[slug], defaults={"role": Role.OWNER})
    for shop in list(made.values())[:2]:
        stock_up(shop)
    return made


def stock_up(shop: Any) -> None:
    from tests.support.stock_ground import make_product

    from chadan.delivery import stock
    from chadan.delivery.card_lists import from_text
    from chadan.orders.states import DeliveryKind
    from chadan.seeding.tills import owner_of

    for place, cards in enumerate((40, 40, 40, 40, 3)):
        product = make_product(shop, title=f"点卡 {place}", position=place)
        text = "\n".join(f"{shop.slug}-{place}-{card}" for card in range(cards))
        stock.import_cards(owner_of(shop), product.pk, from_text(text), "pasted")
    for place in range(4):
        make_product(shop, DeliveryKind.TOPUP, title=f"直充 {place}", position=10 + place)


def test_a_second_start_finds_everything_and_follows_the_sandbox(
    shops: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.paying import owner_rows

    from chadan.catalog.models import PaymentChannel
    from chadan.money import balances
    from chadan.platform.config import get_config
    from chadan.platform.scope import Scope, scoped
    from chadan.seeding import playground
    from chadan.seeding.people import write_file

    monkeypatch.setenv("CHADAN_SANDBOX", "1")
    get_config.cache_clear()
    file = tmp_path / "demo.json"
    write_file(file, {"url": SITE, "accounts": []})
    ids = [shop.pk for shop in shops.values()]

    def tills() -> dict[int, str]:
        taken = PaymentChannel.objects.filter(merchant_id__in=ids, enabled=True)
        return {channel.pk: channel.settings.get("url", "") for channel in taken}

    playground.settle_playground(file, SITE, tmp_path / "sandbox")
    first, known = tills(), json.loads(file.read_text())
    assert len(first) == 24
    assert known["living_orders"] >= 40
    assert [shop["url"] for shop in known["shops"]] == [f"{SITE}/s/{slug}" for slug in shops]
    assert known["sandbox"]["control"] == f"{known['sandbox']['url']}/_control/"
    states = owner_rows("select distinct status from orders where merchant_id = any(%s)", ids[:2])
    assert {code for (code,) in states} == set(range(9)), "an order in every state"
    above, agent = shops["xinghe"], shops["wanxiang"]
    with scoped(Scope(merchants=(above.pk,), homes=(above.home,))) as session:
        assert balances.wallet(session, above.pk, "agent", agent.pk) == 2_000_00

    first_sources = sources(above)
    assert [(title, protocols) for title, protocols, _urls in first_sources] == [
        ("沙盒点卡10元 沙箱货源代发", ["acg", "dujiao"]),
        ("移动话费50元 沙箱货源代充", ["dujiao", "acg"]),
    ]

    orders = owner_rows("select count(*) from orders where merchant_id = any(%s)", ids)
    monkeypatch.setattr(playground, "_port", lambda _known, _site: 0)
    playground.settle_playground(file, SITE, tmp_path / "sandbox")
    moved = json.loads(file.read_text())
    assert owner_rows("select count(*) from orders where merchant_id = any(%s)", ids) == orders
    assert tills().keys() == first.keys()
    assert all(url.startswith(moved["sandbox"]["url"]) for url in tills().values() if url)
    assert [one[:2] for one in sources(above)] == [one[:2] for one in first_sources]
    assert all(url.startswith(moved["sandbox"]["url"]) for _title, _protocols, urls in sources(above) for url in urls)
    get_config.cache_clear()


def sources(shop: Any) -> list[tuple[str, list[str], list[str]]]:
    """(product, protocols in the order of trying, their addresses) of what the shop buys from suppliers that are in use."""
    from chadan.catalog.models import ProductSource

    found: dict[str, tuple[list[str], list[str]]] = {}
    sold = ProductSource.objects.filter(product__merchant=shop, active=True, supplier__active=True)
    for one in sold.select_related("product", "supplier").order_by("priority"):
        protocols, urls = found.setdefault(one.product.title, ([], []))
        protocols.append(one.supplier.protocol)
        urls.append(one.supplier.base_url)
    return sorted((title, *both) for title, both in found.items())


@pytest.mark.parametrize(
    ("phone", "upset", "came_to", "asked"),
    [
        ("13812345678", "", "delivered", ["dujiao"]),
        ("13812345678", "refuse", "delivered", ["dujiao", "acg"]),
        ("13812345678", "fail", "delivered", ["dujiao", "acg"]),
        ("13812340000", "", "failed", ["dujiao", "acg"]),
    ],
    ids=["delivered", "the first refuses", "the first fails", "a number nobody can reach"],
)
def test_a_guest_buys_a_top_up_whose_callback_is_lost(
    shops: dict[str, Any], playing: Any, phone: str, upset: str, came_to: str, asked: list[str]
) -> None:
    """By the demo's own wiring: the shop, the channel and the suppliers are those it makes."""
    from django.test import Client
    from tests.support.paying import jobs, owner_rows, owner_run
    from tests.support.store import number_in, order

    from chadan.catalog.models import PaymentChannel, Product
    from chadan.delivery.supply_tasks import first_call, follow
    from chadan.delivery.tasks import deliver
    from chadan.payments.tasks import heal

    if upset:
        playing.supply_fault(upset, 0.1, protocol="dujiao", times=1)
    product = Product.objects.get(merchant=shops["xinghe"], title="移动话费50元 沙箱货源代充")
    guest = Client(headers={"host": "127.0.0.1"})
    page = f"/s/xinghe/p/{product.pk}"
    order_no = int(number_in(order(guest, page, contact="13900001234", **{"f-phone": phone})))
    channel = PaymentChannel.objects.get(merchant=shops["xinghe"], name="微信支付（沙箱）")
    guest.post(f"/pay/{order_no:019d}/start", {"channel": str(channel.pk)})
    out_no = f"{order_no:019d}01"
    playing.fault("drop", out_no=out_no)
    playing.pay(out_no)

    def state() -> str:
        from chadan.orders.states import OrderStatus

        return str(OrderStatus.of(owner_rows("select status from orders where order_no = %s", order_no)[0][0]))

    def work() -> str:
        """What the worker does, with every pause over."""
        for _job, args, _at in jobs("delivery.first_call", order_no):
            first_call(order_no, json.loads(args)["seq"])
        owner_run("update order_deliveries set asked_at = asked_at - interval '1 minute' where order_no = %s", order_no)
        for (seq,) in owner_rows("select seq from order_deliveries where order_no = %s order by seq", order_no):
            follow(order_no, seq)
        return state()

    assert {each["answer"] for each in playing.payment(out_no)["told"]} == {"dropped"}
    assert state() == "pending_payment"
    heal(order_no, 1)
    assert state() == "paid"
    deliver.func(SimpleNamespace(job=SimpleNamespace(attempts=0)), order_no)
    assert state() == "processing"
    eventually(lambda: work() == came_to, came_to, 40)
    suppliers = "select s.protocol from order_deliveries d join suppliers s on s.id = d.supplier_id where order_no = %s order by seq"
    assert [row[0] for row in owner_rows(suppliers, order_no)] == asked


@pytest.fixture
def playing(shops: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The demo's sandbox, served in this process."""
    from chadan.platform.config import get_config
    from chadan.sandbox.client import Sandbox
    from chadan.sandbox.server import SandboxServer
    from chadan.seeding import playground
    from chadan.seeding.people import write_file

    monkeypatch.setenv("CHADAN_SANDBOX", "1")
    get_config.cache_clear()
    file = tmp_path / "demo.json"
    write_file(file, {"url": SITE, "accounts": [], "living_orders": 0})
    playground.settle_playground(file, SITE, tmp_path / "sandbox")
    port = int(json.loads(file.read_text())["sandbox"]["url"].rpartition(":")[2])
    with SandboxServer(tmp_path / "sandbox", port) as server:
        yield Sandbox(server.url)
    get_config.cache_clear()
