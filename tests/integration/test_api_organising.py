"""Saved views and tags in the API."""

from __future__ import annotations

import io
import json
from typing import Any

import jsonschema
import pytest
from tests.support.wsgi import request

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database: Any) -> Any:
    from tests.support.people import make_shop

    return make_shop(4)


@pytest.fixture(scope="module")
def key_of(database: Any) -> Any:
    from tests.support.people import acting

    from chadan.api.keys import create_key, grantable

    def key(user: Any, *scopes: str) -> str:
        actor = acting(user)
        return create_key(actor, "test", scopes or grantable(actor))[0]

    return key


def send(method: str, path: str, key: str, body: Any = None, **headers: str) -> Any:
    sent = b"" if body is None else json.dumps(body).encode()
    extra = {"wsgi.input": io.BytesIO(sent), "CONTENT_LENGTH": str(len(sent)), "CONTENT_TYPE": "application/json"}
    return request(f"/api/v1/{path}", key, method, **extra, HTTP_ACCEPT_LANGUAGE="en", **headers)


def test_a_view_is_made_read_changed_used_and_deleted_as_documented(shop, key_of):
    document = request("/api/v1/openapi.json").json()
    schema = {**document["components"]["schemas"]["SavedView"], "components": document["components"]}
    key = key_of(shop.staff["owner"])
    body = {
        "name": "dear",
        "view": "sales",
        "query": {"amount": {"min": 9801}},
        "date": "30d",
        "shared": True,
        "default": True,
    }
    made = send("POST", "views", key, body, HTTP_IDEMPOTENCY_KEY="view-1")
    assert made.status == 201, made.body
    jsonschema.validate(made.json(), schema)
    again = send("POST", "views", key, body, HTTP_IDEMPOTENCY_KEY="view-1")
    assert again.json()["id"] == made.json()["id"] and again.headers["Idempotent-Replayed"] == "true"
    assert send("POST", "views", key, body).status == 409, "the name is there"
    view_id = made.json()["id"]
    listed = send("GET", "views", key).json()["data"]
    assert [view["id"] for view in listed] == [view_id] and listed[0]["default"] is True
    assert send("GET", f"views/{view_id}", key).json() == listed[0]
    found = request("/api/v1/orders", key, params={"saved": str(view_id)}.items()).json()["data"]
    assert [order["amount"] for order in found] == ["98.02"], "its filter, and its side: direct sales"
    narrowed = request("/api/v1/orders/summary", key, params={"saved": str(view_id), "amount_min": "1"}.items()).json()
    assert narrowed["orders"] == 2, "parameters win over the view's own"
    changed = send("PATCH", f"views/{view_id}", key, {"name": "cheap", "query": {}, "pinned": True, "default": False})
    assert changed.status == 200 and changed.json()["query"] == {} and changed.json()["date"] is None
    assert (changed.json()["pinned"], changed.json()["default"], changed.json()["name"]) == (True, False, "cheap")
    assert send("DELETE", f"views/{view_id}", key).status == 204
    assert send("GET", f"views/{view_id}", key).status == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": 7}, 400, "invalid_input"),
        ({"nonsense": 1}, 400, "invalid_input"),
        ([], 400, "invalid_input"),
        ({"name": ""}, 400, "invalid_input"),
        ({"name": "x", "view": "nothing"}, 400, "invalid_input"),
        ({"name": "x", "view": "sales", "query": {"status": ["nothing"]}}, 422, "invalid_query"),
        ({"name": "x", "view": "sales", "date": "whenever"}, 400, "invalid_input"),
    ],
)
def test_a_bad_body_is_a_problem(shop, key_of, body, status, code):
    answer = send("POST", "views", key_of(shop.staff["owner"]), body)
    assert (answer.status, answer.json()["code"]) == (status, code), answer.body


def test_keys_do_what_their_scopes_and_roles_allow(shop, key_of):
    from tests.support.people import make_shop, make_user

    owner, reading = key_of(shop.staff["owner"]), key_of(shop.staff["owner"], "orders:read")
    body = {"name": "of suppliers", "view": "sales", "query": {"supplier": ["hidden supplier"]}, "shared": True}
    view_id = send("POST", "views", owner, body).json()["id"]
    assert send("POST", "views", reading, {"name": "x", "view": "sales"}).status == 403
    assert send("DELETE", f"views/{view_id}", reading).status == 403
    narrow = send("GET", f"views/{view_id}", reading)
    assert "hidden supplier" not in narrow.body.decode()
    assert narrow.json()["hidden"] == ["You may not ask about suppliers here."]
    refused = request("/api/v1/orders", reading, params={"saved": str(view_id)}.items())
    assert refused.status == 403 and "hidden supplier" not in refused.body.decode()
    without_cost = key_of(shop.staff["owner"], "orders:read", "orders:organise")
    assert send("POST", "views", without_cost, {**body, "name": "y"}).status == 403
    buyer, platform = key_of(shop.buyer), key_of(make_user("platform", is_operator=True, buyer=False))
    for stranger in (key_of(make_shop(0).staff["owner"]), buyer, platform):
        assert send("GET", f"views/{view_id}", stranger).status == 404
        assert send("PATCH", f"views/{view_id}", stranger, {"name": "x"}).status == 404
        assert send("DELETE", f"views/{view_id}", stranger).status == 404
        assert request("/api/v1/orders", stranger, params={"saved": str(view_id)}.items()).status == 404
    own = send("POST", "views", buyer, {"name": "mine", "query": {"status": ["completed"]}})
    assert own.status == 201 and send("POST", "views", buyer, {"name": "z", "shared": True}).status == 403


def test_tags_are_listed_made_and_changed(shop, key_of):
    from tests.support.people import make_shop

    key = key_of(shop.staff["owner"])
    made = send("POST", "tags", key, {"name": "vip", "colour": "teal"})
    assert made.status == 201 and made.json()["colour"] == "teal"
    tag_id = made.json()["id"]
    assert send("POST", "tags", key, {"name": "VIP"}).status == 409
    assert send("POST", "tags", key, {"name": "x", "colour": "#fff"}).status == 400
    changed = send("PATCH", f"tags/{tag_id}", key, {"name": "大客户", "colour": "pink"})
    assert changed.json() == {"id": tag_id, "name": "大客户", "colour": "pink"}
    expected = {"id": tag_id, "name": "大客户", "colour": "pink", "orders": 0, "orders_exact": True}
    assert expected in send("GET", "tags", key).json()["data"]
    assert send("PATCH", f"tags/{tag_id}", key_of(make_shop(0).staff["owner"]), {"name": "x"}).status == 404
    assert send("GET", "tags", key_of(shop.buyer)).json() == {"data": []}
    assert send("POST", "tags", key_of(shop.buyer), {"name": "x"}).status == 403
