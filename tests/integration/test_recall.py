"""The search history: what is recorded, whose it is, how it is cleared; and what the palette lists."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database: Any) -> Any:
    from tests.support.people import make_shop

    return make_shop(5)


@pytest.fixture
def user(shop: Any) -> Any:
    from tests.support.people import make_staff

    return make_staff(shop.merchant)


@pytest.fixture(scope="module")
def client_of(database: Any) -> Any:
    from django.test import Client

    def client(user: Any, **options: Any) -> Any:
        made = Client(headers={"accept-language": "en"}, **options)
        made.force_login(user)
        return made

    return client


def texts(user: Any) -> list[str]:
    from chadan.recall.models import AskedText

    return [one.text for one in AskedText.objects.filter(user=user).order_by("-last_at")]


def test_a_typed_question_is_kept_once_the_latest_first(user, client_of):
    client = client_of(user)
    for text in ("status:paid", "话费", "  status:paid ", "话费"):
        assert client.get("/m/orders", {"q": text}).status_code == 200
    client.get("/m/orders", {"q": "status:paid"})
    client.get("/m/orders", {"status": "completed"})
    assert texts(user) == ["status:paid", "话费"]
    page = client.get("/m/orders").content.decode()
    box = page[page.index("<datalist") : page.index("</datalist>")]
    assert box.index('value="status:paid"') < box.index('value="话费"') < box.index("how much did I sell today")


def test_numbers_and_long_texts_are_not_kept(user, client_of):
    client = client_of(user)
    for text in ("13987654321", "8812", "2611 2245 2960 0712 341", "a@example.com", "x" * 301, "date:nonsense..", " "):
        client.get("/m/orders", {"q": text})
    assert not [text for text in texts(user) if text != "date:nonsense.."]


def test_the_last_fifty_are_kept(user, database):
    from tests.support.people import acting

    from chadan.recall import services

    actor = acting(user)
    for index in range(services.KEPT + 3):
        services.remember(actor, f"订单 第{index}问")
    kept = texts(user)
    assert len(kept) == services.KEPT and "订单 第2问" not in kept and kept[0] == f"订单 第{services.KEPT + 2}问"


def test_a_history_is_ones_own_and_each_capacity_has_its_own(shop, user, client_of, database):
    from tests.support.people import acting, make_staff

    from chadan.accounts.models import Membership
    from chadan.recall import services
    from chadan.recall.models import AskedText

    services.remember(acting(user), "只有我问过的")
    asked = AskedText.objects.get(user=user)
    other = client_of(make_staff(shop.merchant))
    for path in ("/recall", "/m/orders", "/palette", "/palette/items"):
        assert "只有我问过的" not in other.get(path).content.decode(), path
        assert "只有我问过的" in client_of(user).get(path).content.decode(), path
    other.post("/recall/forget", {"asked": asked.pk})
    other.post("/recall/forget", {"asked": "all"})
    other.post("/recall/forget", {"asked": asked.pk, "as": acting(user).key})
    assert texts(user) == ["只有我问过的"]
    from tests.support.people import make_merchant

    second = make_merchant("second")
    Membership.objects.create(user=user, merchant=second, role="owner")
    there = client_of(user).get("/palette/items", {"as": f"merchant:{second.pk}"}).content.decode()
    assert "只有我问过的" not in there
    assert (
        "只有我问过的" in client_of(user).get("/palette/items", {"as": f"merchant:{shop.merchant.pk}"}).content.decode()
    )


def test_one_or_all_are_cleared_by_forms_that_only_this_site_can_send(user, client_of, database):
    from tests.support.people import acting

    from chadan.recall import services
    from chadan.recall.models import AskedText

    actor = acting(user)
    for text in ("甲问", "乙问", "丙问"):
        services.remember(actor, text)
    one = AskedText.objects.get(user=user, text="乙问")
    forged = client_of(user, enforce_csrf_checks=True).post("/recall/forget", {"asked": "all"})
    assert forged.status_code == 403 and len(texts(user)) == 3
    client = client_of(user)
    assert client.get("/recall/forget")["Location"] == "/recall"
    answer = client.post("/recall/forget", {"asked": one.pk, "next": "/m/orders?view=agent"})
    assert answer["Location"] == "/m/orders?view=agent" and texts(user) == ["丙问", "甲问"]
    for nonsense in ("", "x", "9" * 30):
        assert client.post("/recall/forget", {"asked": nonsense}).status_code == 302
    assert len(texts(user)) == 2
    answer = client.post("/recall/forget", {"asked": "all", "next": "https://elsewhere.example/"})
    assert answer["Location"].startswith("/recall?as=merchant") and texts(user) == []
    assert "No searches yet" in client.get("/recall").content.decode()


def test_the_palette_lists_what_the_role_may_open_and_a_text_goes_to_the_list(shop, client_of):
    from chadan.accounts.models import Role

    owner = client_of(shop.staff[Role.OWNER])
    owner.post("/m/orders/views", {"within": "view=sales&status=paid", "name": "到货前"})
    items = owner.get("/palette/items").content.decode()
    assert 'href="/m/channels"' in items and "到货前" in items and "<html" not in items
    support = client_of(shop.staff[Role.SUPPORT]).get("/palette/items").content.decode()
    assert 'href="/m/channels"' not in support and "到货前" not in support and "profit" not in support
    assert "profit of this month" in items
    assert (
        owner.get("/palette", {"q": "话费 & 流量"})["Location"]
        == "/m/orders?q=%E8%AF%9D%E8%B4%B9+%26+%E6%B5%81%E9%87%8F"
    )
    buyer = client_of(shop.buyer)
    assert buyer.get("/palette", {"q": "x"})["Location"] == "/orders?q=x"
    assert "how much did I spend" in buyer.get("/orders").content.decode()
