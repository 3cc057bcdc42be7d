"""The demo's tills, wallets and living orders: made once, found again, following the sandbox to another port."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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

    orders = owner_rows("select count(*) from orders where merchant_id = any(%s)", ids)
    monkeypatch.setattr(playground, "_port", lambda _known, _site: 0)
    playground.settle_playground(file, SITE, tmp_path / "sandbox")
    moved = json.loads(file.read_text())
    assert owner_rows("select count(*) from orders where merchant_id = any(%s)", ids) == orders
    assert tills().keys() == first.keys()
    assert all(url.startswith(moved["sandbox"]["url"]) for url in tills().values() if url)
    get_config.cache_clear()
