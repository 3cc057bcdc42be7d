"""Capacities and staff: switching, and an owner's say over who works for the shop."""

from __future__ import annotations

import pytest
from django.test import Client

from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound

pytestmark = pytest.mark.integration


@pytest.fixture
def shop(database):
    from tests.support.people import make_shop

    return make_shop(0)


@pytest.fixture
def owner(shop):
    from tests.support.people import acting

    return acting(shop.staff["owner"])


def membership(user, shop):
    from chadan.accounts.models import Membership

    return Membership.objects.get(user=user, merchant=shop.merchant)


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def test_add_change_remove(shop, owner):
    from tests.support.people import make_user

    from chadan.accounts import staff
    from chadan.accounts.actors import actors_of

    user = make_user("hired")
    staff.add(owner, f" {user.username} ", "support")
    assert [actor.role for actor in actors_of(user)] == ["support", "buyer"]
    with pytest.raises(Conflict):
        staff.add(owner, user.username, "finance")
    staff.change_role(owner, membership(user, shop).pk, "finance")
    assert actors_of(user)[0].role == "finance"
    staff.remove(owner, membership(user, shop).pk)
    assert [actor.kind for actor in actors_of(user)] == ["buyer"]


def test_refusals(shop, owner):
    from tests.support.people import acting, make_shop

    from chadan.accounts import staff

    with pytest.raises(InvalidInput):
        staff.add(owner, "nobody by this name", "support")
    with pytest.raises(InvalidInput):
        staff.change_role(owner, membership(shop.staff["support"], shop).pk, "emperor")
    for role in ("operator", "finance", "support"):
        with pytest.raises(Forbidden):
            staff.members(acting(shop.staff[role]))
    elsewhere = make_shop(0)
    with pytest.raises(NotFound):
        staff.remove(owner, membership(elsewhere.staff["support"], elsewhere).pk)


def test_a_shop_keeps_an_owner(shop, owner):
    from chadan.accounts import staff
    from chadan.accounts.models import User

    own = membership(shop.staff["owner"], shop).pk
    for act in (lambda: staff.remove(owner, own), lambda: staff.change_role(owner, own, "support")):
        with pytest.raises(Conflict):
            act()
    second = membership(shop.staff["support"], shop).pk
    staff.change_role(owner, second, "owner")
    User.objects.filter(pk=shop.staff["support"].pk).update(is_active=False)
    with pytest.raises(Conflict):  # an owner who cannot sign in is none
        staff.remove(owner, own)
    User.objects.filter(pk=shop.staff["support"].pk).update(is_active=True)
    staff.remove(owner, own)


def test_the_staff_page(shop):
    from tests.support.people import make_user

    client, user = client_of(shop.staff["owner"]), make_user("page")
    assert client.post("/m/staff", {"username": user.username, "role": "operator"}).status_code == 302
    page = client.get("/m/staff").content.decode()
    assert user.username in page
    wrong = client.post("/m/staff", {"username": "nobody here", "role": "operator"})
    assert wrong.status_code == 400 and "nobody here" in wrong.content.decode()
    row = membership(user, shop).pk
    assert client.post(f"/m/staff/{row}", {"role": "finance"}).status_code == 302
    assert membership(user, shop).role == "finance"
    assert client.post(f"/m/staff/{row}", {"remove": "1"}).status_code == 302
    last = client.post(f"/m/staff/{membership(shop.staff['owner'], shop).pk}", {"remove": "1"}, follow=True)
    assert "alert" in last.content.decode() and membership(shop.staff["owner"], shop)


@pytest.mark.parametrize(
    ("kind", "home"),
    [
        ("buyer", "/orders"),
        ("owner", "/m/orders?view=sales"),
        ("agent", "/m/orders?view=sales"),
        ("operator", "/ops/orders"),
    ],
)
def test_home_follows_the_role(shop, kind, home):
    from tests.support.people import make_user

    user = {
        "buyer": shop.buyer,
        "owner": shop.staff["owner"],
        "agent": shop.agent_owner,
        "operator": make_user("op", is_operator=True, buyer=False),
    }[kind]
    client = client_of(user)
    assert client.get("/").headers["Location"] == home
    page = client.get(home).content.decode()
    links = {
        "buyer": ["/orders"],
        "owner": ["/m/orders?view=sales", "/m/orders?view=agent"],
        "agent": ["/m/orders?view=sales", "/m/orders?view=purchases"],
        "operator": ["/ops/orders"],
    }[kind]
    for link in links:
        assert f'href="{link}"' in page


def test_switching_between_capacities(shop):
    from chadan.accounts.models import Membership

    Membership.objects.create(user=shop.buyer, merchant=shop.merchant, role="finance")
    client = client_of(shop.buyer)
    assert client.get("/").headers["Location"] == "/m/orders?view=sales"
    assert client.post("/switch", {"capacity": "buyer"}).headers["Location"] == "/orders"
    assert client.get("/").headers["Location"] == "/orders"
    page = client.get("/account").content.decode()
    assert f'value="merchant:{shop.merchant.pk}"' in page
    assert client.post("/switch", {"capacity": "operator"}).status_code == 404
    assert client.get("/switch").headers["Location"] == "/", "a reload after the switch goes home"
    client.post("/switch", {"capacity": f"merchant:{shop.merchant.pk}"})
    Membership.objects.filter(user=shop.buyer, merchant=shop.merchant).delete()
    assert client.get("/").headers["Location"] == "/orders", "a lost role is not acted in"


def test_the_profile(shop):
    client = client_of(shop.buyer)
    saved = client.post("/account", {"display_name": "李雷", "language": "en"}, follow=True)
    page = saved.content.decode()
    assert "李雷" in page and 'lang="en"' in page and "Name shown to others" in page
    assert client.post("/account", {"display_name": "x" * 200, "language": "tlh"}).content.count(b"errorlist") == 2
