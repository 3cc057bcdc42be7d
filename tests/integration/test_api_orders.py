"""`/api/v1/orders` through the WSGI application: filters, paging, masking, what each role may see, errors."""

from __future__ import annotations

import pytest
from tests.support.wsgi import request

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(7)


@pytest.fixture(scope="module")
def keys(shop):
    """A key with every scope its owner may give, by owner."""
    from tests.support.people import acting, make_user

    from chadan.api.keys import create_key, grantable

    people = {
        "owner": shop.staff["owner"],
        "buyer": shop.buyer,
        "agent": shop.agent_owner,
        "operator": make_user("op", is_operator=True, buyer=False),
        "stranger": make_user("stranger"),
    }
    return {name: create_key(acting(user), name, grantable(acting(user)))[0] for name, user in people.items()}


def test_a_merchants_list(shop, keys):
    answer = request("/api/v1/orders", keys["owner"])
    assert answer.status == 200, answer.body
    page = answer.json()
    assert {order["order_no"] for order in page["data"]} == {f"{number:019d}" for number in shop.orders}
    assert page["has_more"] is False and page["next_cursor"] is None
    assert answer.headers["Content-Type"] == "application/json"
    first = page["data"][0]
    assert first["account"] == "13812345678" and first["cost"] == "95.00" and first["placed_at"].endswith("+08:00")


def test_detail(shop, keys):
    answer = request(f"/api/v1/orders/{shop.orders[0]:019d}", keys["owner"])
    assert answer.status == 200, answer.body
    order = answer.json()
    assert order["relation"] == "seller" and order["payments"][0]["amount"] == "98.00"


def test_openapi_and_docs(database):
    assert request("/api/v1/openapi.json").json()["openapi"] == "3.1.0"
    page = request("/api/docs")
    assert page.status == 200 and b"/api/v1/orders/summary" in page.body
