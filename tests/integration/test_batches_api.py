"""Batches as a program uses them: prepared once per key, confirmed by count, followed, undone; another shop's are not there."""

from __future__ import annotations

import json
import uuid

import jsonschema
import pytest

from chadan.orders import number

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(5)


@pytest.fixture(scope="module")
def key(shop):
    return key_of(shop.staff["owner"])


def key_of(user, *scopes):
    from tests.support.people import acting

    from chadan.api.keys import create_key

    return create_key(acting(user), "batches", scopes or ("orders:batch",))[0]


def call(key, method, path="", body=None, once="", query=""):
    import io

    from tests.support.wsgi import request

    sent = b"" if body is None else json.dumps(body).encode()
    extra = {"wsgi.input": io.BytesIO(sent), "CONTENT_LENGTH": str(len(sent)), "CONTENT_TYPE": "application/json"}
    if once:
        extra["HTTP_IDEMPOTENCY_KEY"] = once
    answer = request(f"/api/v1/batches{path}", key, method, query, HTTP_ACCEPT_LANGUAGE="en", **extra)
    return answer.status, answer.json()


def fits(answer, name):
    from chadan.api.v1 import document

    described = json.loads(document())
    jsonschema.validate(answer, {"$ref": f"#/components/schemas/{name}", "components": described["components"]})
    return answer


def fresh():
    return uuid.uuid4().hex


def work(batch_id):
    from uuid import UUID

    from chadan.batches import runner

    runner.run(UUID(batch_id))


def test_a_program_prepares_confirms_follows_and_undoes(shop, key):
    once = fresh()
    wanted = {"action": "tag", "tag": "api", "query": {}}
    status, made = call(key, "POST", "", wanted, once)
    assert (status, made["state"], made["orders"], made["amount"]) == (201, "ready", 5, "490.00")
    fits(made, "Batch")
    assert call(key, "POST", "", wanted, once) == (201, made), "the same call again makes no second batch"
    assert call(key, "POST", "", {**wanted, "tag": "other"}, once)[0] == 422
    assert call(key, "POST", "", wanted)[0] == 400, "an unsafe call without a key"
    there = f"/{made['id']}"
    assert call(key, "POST", f"{there}/confirm", {"orders": 4}, fresh())[0] == 400
    status, running = call(key, "POST", f"{there}/confirm", {"orders": 5}, fresh())
    assert (status, running["state"]) == (200, "running")
    work(made["id"])
    status, done = call(key, "GET", there)
    assert (status, done["state"], done["done"]) == (200, "done", 5)
    status, page = call(key, "GET", f"{there}/orders", query="state=done")
    fits(page, "BatchOrders")
    assert [row["order_no"] for row in page["data"]] == [number.text(one) for one in sorted(shop.orders)]
    assert call(key, "POST", f"{there}/undo", {}, fresh())[1]["state"] == "undoing"
    work(made["id"])
    assert fits(call(key, "GET", there)[1], "Batch")["undone"] == 5
    assert call(key, "POST", f"{there}/undo", {}, fresh())[0] == 409


def test_an_export_is_requested_of_the_frozen_orders(shop, key):
    from chadan.exports.models import ExportJob

    ticked = [number.text(one) for one in shop.orders[:2]]
    made = call(key, "POST", "", {"action": "export", "orders": ticked}, fresh())[1]
    body = {"orders": 2, "format": "csv", "columns": ["order_no"]}
    done = call(key, "POST", f"/{made['id']}/confirm", body, fresh())[1]
    assert done["state"] == "done" and str(ExportJob.objects.get(pk=done["export_id"]).frozen) == made["id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "explode", "query": {}}, 400),
        ({"action": "tag", "tag": "x"}, 400),
        ({"action": "tag", "tag": "x", "query": {}, "orders": []}, 400),
        ({"action": "tag", "query": {}}, 400),
        ({"action": "tag", "tag": 5, "query": {}}, 400),
        ({"action": "note", "note": "n", "orders": ["12"]}, 422),
        ({"action": "note", "note": "n", "query": {"colour": 1}}, 422),
        ({"action": "note", "note": "n", "query": {"status": ["cancelled"]}}, 400),
        ({"action": "note", "note": "n", "query": {}, "view": "purchases"}, 403),
        ({"action": "note", "note": "n", "query": {"supplier": ["x"]}}, 403),
        ({"action": "note", "note": "n", "query": {}, "else": 1}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(key, body, status):
    from chadan.batches.models import Batch

    before = Batch.objects.count()
    assert call(key, "POST", "", body, fresh())[0] == status
    assert Batch.objects.count() == before


def test_keys_without_the_scope_and_other_shops_find_nothing(shop, key, database):
    from tests.support.people import make_shop

    made = call(key, "POST", "", {"action": "note", "note": "n", "query": {}}, fresh())[1]
    elsewhere = key_of(make_shop(1).staff["owner"])
    there, nowhere = f"/{made['id']}", f"/{uuid.uuid4()}"
    for method, path in (("GET", ""), ("GET", "/orders"), ("POST", "/confirm"), ("POST", "/cancel"), ("POST", "/undo")):
        body = {"orders": 5} if method == "POST" else None
        real, missing = (call(elsewhere, method, where + path, body, fresh()) for where in (there, nowhere))
        assert real == missing and real[0] == 404, path
    foreign = {"action": "note", "note": "n", "orders": [number.text(shop.orders[0])]}
    unknown = {**foreign, "orders": [number.text(number.make(number.now(), shop.merchant.home))]}
    answers = [call(elsewhere, "POST", "", body, fresh()) for body in (foreign, unknown)]
    assert answers[0] == answers[1] and answers[0][0] == 404
    reading = key_of(shop.staff["owner"], "orders:read")
    assert call(reading, "GET", there)[0] == 403
    assert call("", "GET", there)[0] == 401
    assert call(key, "GET", "/not-an-id")[0] == 404
