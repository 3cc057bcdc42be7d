"""The OpenAPI document: its structure, and that what it promises is what the API does."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from tests.support.wsgi import request

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def document(database):
    return request("/api/v1/openapi.json").json()


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(3)


@pytest.fixture(scope="module")
def keys(shop):
    from tests.support.people import acting

    from chadan.api.keys import create_key, grantable

    people = {"owner": shop.staff["owner"], "buyer": shop.buyer, "agent": shop.agent_owner}
    return {name: create_key(acting(user), name, grantable(acting(user)))[0] for name, user in people.items()}


def operations(document):
    """What reads orders; supply, batches, views and tags have tests of their own."""
    return {path: methods["get"] for path, methods in document["paths"].items() if path.startswith("/api/v1/orders")}


def schema_of(document, operation, status="200"):
    (content,) = operation["responses"][status]["content"].values()
    return {**content["schema"], "components": document["components"]}


def test_structure(document):
    assert document["openapi"] == "3.1.0" and document["info"]["title"] and document["info"]["version"]
    identifiers = [operation["operationId"] for operation in operations(document).values()]
    assert len(identifiers) == len(set(identifiers)) == 3
    for path, operation in operations(document).items():
        names = [(parameter["in"], parameter["name"]) for parameter in operation["parameters"]]
        assert len(names) == len(set(names)), path
        assert set(re.findall(r"{(\w+)}", path)) == {name for place, name in names if place == "path"}
        for parameter in operation["parameters"]:
            assert parameter["in"] in ("query", "path") and isinstance(parameter["schema"], dict)
            assert parameter["in"] != "path" or parameter["required"] is True
            jsonschema.Draft202012Validator.check_schema(parameter["schema"])
        for status, answer in operation["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status) and answer["description"] and answer["content"]
        for requirement in operation["security"]:
            assert set(requirement) <= set(document["components"]["securitySchemes"])


def test_references_lead_somewhere(document):
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                target: Any = document
                for part in node["$ref"].removeprefix("#/").split("/"):
                    target = target[part]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)


def test_schemas_are_schemas(document):
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_documented_parameter_is_accepted(document, keys):
    for path, operation in operations(document).items():
        for parameter in operation["parameters"]:
            if parameter["in"] != "query" or parameter["name"] in ("cursor", "saved"):
                continue
            example = parameter["example"]
            jsonschema.validate(example, parameter["schema"])
            values = example if isinstance(example, list) else [example]
            if isinstance(example, list) and not parameter["explode"]:
                values = [",".join(example)]
            answer = request(path, keys["owner"], params=[(parameter["name"], value) for value in values])
            assert answer.status == 200, (path, parameter["name"], answer.body)


def test_every_field_of_the_query_is_documented(document):
    from chadan.search import order_query as oq

    names = {parameter["name"] for parameter in operations(document)["/api/v1/orders"]["parameters"]}
    summed = {parameter["name"] for parameter in operations(document)["/api/v1/orders/summary"]["parameters"]}
    spelled = {"has_after_sale": "after_sale", "role_view": "view", "face_value": "face_min", "amount": "amount_min"}
    spelled |= {"quantity": "quantity_min"}
    for field in oq.OrderQuery.__struct_fields__:
        if field == "exclude":
            assert {f"exclude.{name}" for name in oq.EXCLUDABLE} <= names
        elif field in ("intent", "metric", "group_by"):
            assert field in summed
        else:
            assert spelled.get(field, field) in names, field


@pytest.mark.parametrize("role", ["owner", "buyer", "agent"])
def test_answers_are_what_the_document_says(document, keys, shop, role):
    view = [("view", "purchases")] if role == "agent" else []
    listed, summed, one = (operations(document)[path] for path in sorted(operations(document), key=len))
    if listed["operationId"] != "listOrders":
        pytest.fail("paths changed")
    by_id = {operation["operationId"]: operation for operation in (listed, summed, one)}
    page = request("/api/v1/orders", keys[role], params=view).json()
    assert page["data"]
    jsonschema.validate(page, schema_of(document, by_id["listOrders"]))
    number = page["data"][0]["order_no"]
    detail = request(f"/api/v1/orders/{number}", keys[role])
    if detail.status == 200:
        jsonschema.validate(detail.json(), schema_of(document, by_id["getOrder"]))
    counted = request("/api/v1/orders/summary", keys[role], params=[*view, ("group_by", "day"), ("intent", "top")])
    jsonschema.validate(counted.json(), schema_of(document, by_id["summariseOrders"]))
    problem = request("/api/v1/orders", keys[role], params=[("colour", "red")])
    jsonschema.validate(problem.json(), schema_of(document, by_id["listOrders"], "422"))


def test_the_docs_page_needs_no_script(database):
    page = request("/api/docs").body.decode()
    for word in ("/api/v1/orders/{order_no}", "exclude.tag", "orders:accounts", "OrderDetail"):
        assert word in page
    assert "http://cdn" not in page and "https://" not in page


def test_the_docs_page_speaks_the_visitors_language_and_the_document_english(database):
    chinese, english = (
        "排除：商品规格，完全一致；多个值时重复此参数",
        "Leave out: The product&#39;s variant, exactly; repeat it for alternatives",
    )
    for accepted, shown, other in (("zh-CN", chinese, english), ("en", english, chinese)):
        page = request("/api/docs", HTTP_ACCEPT_LANGUAGE=accepted).body.decode()
        assert shown in page and other not in page
        document = request("/api/v1/openapi.json", HTTP_ACCEPT_LANGUAGE=accepted).body.decode()
        assert english.replace("&#39;", "'") in document and chinese not in document
