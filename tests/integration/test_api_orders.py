"""`/api/v1/orders` through the WSGI application: filters, paging, masking, what each role may see, errors."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.names import PHONE
from tests.support.wsgi import request

pytestmark = pytest.mark.integration
LIST = "/api/v1/orders"
INSIDE = {"cost", "fee", "profit", "supplier"}


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


@pytest.fixture(scope="module")
def reading(shop):
    """A key of the owner that may read orders and nothing else."""
    from tests.support.people import acting

    from chadan.api.keys import create_key

    return create_key(acting(shop.staff["owner"]), "reading")[0]


def numbers(answer):
    assert answer.status == 200, answer.body
    return [order["order_no"] for order in answer.json()["data"]]


def text(order_no):
    return f"{order_no:019d}"


def test_a_merchants_list(shop, keys):
    answer = request(LIST, keys["owner"])
    page = answer.json()
    assert numbers(answer) == sorted(map(text, shop.orders), reverse=True)
    assert page["has_more"] is False and page["next_cursor"] is None
    assert answer.headers["Content-Type"] == "application/json" and answer.headers["Cache-Control"] == "no-store"
    first = page["data"][0]
    assert first["account"] == PHONE and first["cost"] == "95.00" and first["amount"].startswith("98.0")
    assert first["placed_at"].endswith("+08:00") and first["paid_at"].endswith("+08:00")
    assert first["placed_at"] == first["paid_at"], "the number's second is when it was paid here"


def test_pages_follow_each_other(shop, keys):
    found, cursor = [], ""
    for _ in range(10):
        answer = request(LIST, keys["owner"], params={"limit": 3, "cursor": cursor}.items())
        found += numbers(answer)
        cursor = answer.json()["next_cursor"]
        if not cursor:
            break
    assert found == sorted(map(text, shop.orders), reverse=True)


def test_a_cursor_of_another_query_is_refused(shop, keys):
    cursor = request(LIST, keys["owner"], params=[("limit", 2)]).json()["next_cursor"]
    answer = request(LIST, keys["owner"], params=[("status", "completed"), ("cursor", cursor)])
    assert (answer.status, answer.json()["code"], answer.json()["errors"][0]["field"]) == (
        422,
        "invalid_query",
        "cursor",
    )
    assert request(LIST, keys["owner"], params=[("cursor", "x" * 50)]).status == 422


def test_filters_and_the_search_box(shop, keys):
    one = text(shop.orders[2])
    for params in (
        [("order_no", one)],
        [("q", one)],
        [("q", f"订单 {one[:6]} {one[6:]}")],
        [("amount_min", "98.02"), ("amount_max", "98.02")],
        [("q", "amount:98.02")],
    ):
        assert numbers(request(LIST, keys["owner"], params=params)) == [one], params
    assert numbers(request(LIST, keys["owner"], params=[("status", "failed,refunded")])) == []
    assert len(numbers(request(LIST, keys["owner"], params=[("q", PHONE[-4:])]))) == 7, "a tail, as the box reads it"
    assert len(numbers(request(LIST, keys["owner"], params=[("view", "agent")]))) == 3
    assert len(numbers(request(LIST, keys["owner"], params=[("view", "sales")]))) == 4


def test_what_each_role_sees(shop, keys, reading):
    assert set(request(LIST, keys["owner"]).json()["data"][0]) >= INSIDE
    for key in (reading, keys["buyer"]):
        assert not INSIDE & set(request(LIST, key).json()["data"][0])
    (bought,) = request(LIST, keys["agent"], params=[("view", "purchases"), ("limit", "1")]).json()["data"]
    assert not (INSIDE | {"parent_order_no"}) & set(bought)
    assert len(numbers(request(LIST, keys["agent"], params=[("view", "purchases")]))) == 3
    assert numbers(request(LIST, keys["stranger"])) == []
    assert set(map(text, shop.orders)) <= set(
        numbers(request(LIST, keys["operator"], params=[("merchant", shop.merchant.name)]))
    )


def test_accounts_are_masked_without_the_scope(reading, shop):
    answer = request(LIST, reading)
    assert {order["account"] for order in answer.json()["data"]} == {"138****5678"}
    detail = request(f"{LIST}/{text(shop.orders[0])}", reading)
    assert PHONE not in answer.body.decode() + detail.body.decode()


def test_filters_do_not_answer_what_rows_hide(keys, reading):
    for key, params in (
        (keys["buyer"], [("supplier", "x")]),
        (keys["buyer"], [("exclude.tag", "x")]),
        (keys["agent"], [("view", "purchases"), ("tag", "x")]),
        (reading, [("supplier", "x")]),
        (reading, [("q", "supplier:x")]),
    ):
        assert request(LIST, key, params=params).status == 403, params
    assert request(f"{LIST}/summary", reading, params=[("intent", "sum"), ("metric", "profit")]).status == 403
    assert request(f"{LIST}/summary", keys["owner"], params=[("intent", "sum"), ("metric", "profit")]).status == 200


def test_detail(shop, keys):
    answer = request(f"{LIST}/{text(shop.orders[0])}", keys["owner"])
    assert answer.status == 200, answer.body
    order = answer.json()
    assert order["relation"] == "seller" and order["payments"][0]["amount"] == "98.00"
    assert order["timeline"] and order["notes"][0]["body"] == "a note" and set(order) >= INSIDE
    bought = request(f"{LIST}/{text(shop.orders[0])}", keys["buyer"]).json()
    assert bought["relation"] == "buyer" and bought["notes"] == [] and not (INSIDE | {"tags"}) & set(bought)
    assert "supplier_no" not in bought["deliveries"][0]


def test_an_agent_reads_its_purchase(shop, keys):
    answer = request(f"{LIST}/{text(shop.orders[1])}", keys["agent"])
    assert answer.status == 200 and answer.json()["relation"] == "agent"
    assert request(f"{LIST}/{text(shop.orders[0])}", keys["agent"]).status == 404, "sold directly"


def test_list_and_detail_agree(shop, keys):
    for name in ("owner", "buyer", "operator"):
        row = numbers_row(keys[name], shop)
        detail = request(f"{LIST}/{text(shop.orders[0])}", keys[name]).json()
        assert {key: detail[key] for key in row if not key.endswith("_at")} == {
            key: value for key, value in row.items() if not key.endswith("_at")
        }


def numbers_row(key, shop):
    (row,) = request(LIST, key, params=[("order_no", text(shop.orders[0]))]).json()["data"]
    return row


def test_mistyped_numbers_are_told_from_missing_ones(shop, keys):
    from chadan.orders import number

    good = shop.orders[0]
    mistyped = request(f"{LIST}/{text(good // 10 * 10 + (good + 1) % 10)}", keys["owner"])
    assert (mistyped.status, mistyped.json()["code"]) == (422, "mistyped")
    assert request(f"{LIST}/12345", keys["owner"]).status == 422
    missing = request(
        f"{LIST}/{text(number.make(number.now() - timedelta(days=3), shop.merchant.home))}", keys["owner"]
    )
    others = request(f"{LIST}/{text(good)}", keys["stranger"])
    assert (missing.status, missing.body) == (others.status, others.body) == (404, missing.body)
    typed = request(LIST, keys["owner"], params=[("q", text(good // 10 * 10 + (good + 1) % 10))])
    assert (typed.status, typed.json()["code"]) == (422, "mistyped")
    wrong = text(good // 10 * 10 + (good + 1) % 10)
    for path in (LIST, f"{LIST}/summary"):
        for name, value in (("order_no", wrong), ("q", wrong), ("order_no", wrong[:-1]), ("q", wrong[:-1])):
            answer = request(path, keys["owner"], params=[(name, value)])
            assert (answer.status, answer.json()["code"]) == (422, "mistyped"), (path, name, value)
            assert answer.json()["errors"][0]["field"] == name


def test_another_sites_number_is_found_though_it_looks_mistyped(shop, keys):
    from django.db import connections

    from chadan.orders import number

    theirs, shorter = "2611010000000000018", "261101000000000001"
    assert number.parse(theirs) is None
    with connections["owner"].cursor() as cursor:
        cursor.executemany(
            "insert into external_refs (home, kind, scope_id, ref, order_no) values (%s, 4, 1, %s, %s)",
            [(shop.merchant.home, ref, shop.orders[0]) for ref in (theirs, shorter)],
        )
    for name, value in (("q", theirs), ("order_no", theirs), ("q", shorter), ("order_no", shorter)):
        assert numbers(request(LIST, keys["owner"], params=[(name, value)])) == [text(shop.orders[0])], (name, value)


def test_summary(shop, keys):
    counted = request(f"{LIST}/summary", keys["owner"]).json()
    assert (counted["intent"], counted["unit"], counted["value"]) == ("count", "orders", 7)
    total = request(f"{LIST}/summary", keys["owner"], params=[("intent", "sum"), ("metric", "amount")]).json()
    assert (total["unit"], total["value"]) == ("yuan", "686.00")
    ranked = request(f"{LIST}/summary", keys["owner"], params=[("intent", "top"), ("group_by", "status")]).json()
    assert [(group["key"], group["orders"]) for group in ranked["groups"]] == [("completed", 7)]
    assert request(LIST, keys["owner"], params=[("intent", "count")]).status == 422


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ([("colour", "red")], "colour"),
        ([("page", "2")], "page"),
        ([("status", "done")], "status"),
        ([("from", "2026-02-01"), ("to", "2026-01-01")], "time"),
        ([("limit", "101")], "limit"),
        ([("limit", "0")], "limit"),
        ([("limit", "ten")], "limit"),
        ([("view", "upside-down")], "view"),
        ([("amount_min", "1.234")], None),
        ([("text", "x" * 600)], "text"),
        ([("q", "colour:red")], "q"),
    ],
)
def test_bad_parameters_get_a_clear_problem(keys, params, field):
    answer = request(LIST, keys["owner"], params=params)
    body = answer.json()
    assert answer.status == 422 and answer.headers["Content-Type"] == "application/problem+json"
    assert body["code"] == "invalid_query" and body["status"] == 422 and body["detail"]
    if field:
        assert [error["field"] for error in body["errors"]] == [field]


def test_ten_megabytes_of_filter_are_refused(keys):
    assert request(LIST, keys["owner"], params="q=" + "x" * 10_000_000).status == 422
    assert request(LIST, keys["owner"], params="&".join(["tag=x"] * 20_000)).status == 422


def test_problems_everywhere(keys):
    for path, method, status in (
        ("/api/v1/nothing", "GET", 404),
        ("/api/v2/orders", "GET", 404),
        ("/api/v1/", "GET", 404),
        (LIST, "POST", 405),
        (LIST, "DELETE", 405),
    ):
        answer = request(path, keys["owner"], method=method)
        assert answer.status == status, path
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert set(answer.json()) >= {"type", "title", "status", "code", "detail"}
    assert "GET" in request(LIST, keys["owner"], method="POST").headers["Allow"]


def test_problems_speak_the_callers_language(database):
    english, chinese = (
        request(LIST, HTTP_ACCEPT_LANGUAGE=language).json()["detail"] for language in ("en-GB", "zh-CN")
    )
    assert english.startswith("Send an API key") and "密钥" in chinese
    assert "密钥" in request(LIST).json()["detail"]


def test_a_line_lost_between_requests_is_noticed(keys):
    from django.db import connection

    assert request(LIST, keys["owner"]).status == 200
    connection.connection.pgconn.finish()
    assert request(LIST, keys["owner"]).status == 200


def test_a_server_that_hung_up_is_noticed(keys):
    from django.db import connection

    assert request(LIST, keys["owner"]).status == 200
    with connection.cursor() as cursor, pytest.raises(Exception, match="terminat"):
        cursor.execute("select pg_terminate_backend(pg_backend_pid())")
    assert request(LIST, keys["owner"]).status == 200


def test_a_failing_statement_is_a_503_problem(keys, monkeypatch):
    import psycopg

    from chadan.api import v1

    def fail(*_args, **_named):
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(v1.readings, "find", fail)
    answer = request(LIST, keys["owner"])
    assert (answer.status, answer.json()["code"]) == (503, "database_unavailable")


def test_a_defect_is_a_500_problem_without_its_cause(keys, monkeypatch):
    from chadan.api import v1

    def fail(*_args, **_named):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(v1.readings, "find", fail)
    answer = request(LIST, keys["owner"])
    assert (answer.status, answer.json()["code"]) == (500, "internal") and b"secret detail" not in answer.body


def test_how_a_question_was_read_is_no_reason_to_refuse_it(shop, keys):
    for q in ("话废订单", "支付宝的订单 2月30日", "充值的订单 支付宝 但不要支付宝"):
        assert request(LIST, keys["owner"], params={"q": q}.items()).status == 200, q
    assert numbers(request(LIST, keys["owner"], params={"q": "话废订单"}.items()))
