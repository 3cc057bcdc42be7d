"""What a role may not see it may not find out either: every field, through every way in."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from tests.support.wsgi import request

pytestmark = pytest.mark.integration

COST, SUPPLIER, TAG = "cost", "supplier", "tag"
ASKED = {
    COST: ({"intent": "sum", "metric": "profit"}, {"intent": "top", "metric": "profit", "group_by": "product"}),
    SUPPLIER: ({"supplier": "Up"}, {"exclude.supplier": "Up"}, {"intent": "top", "group_by": "supplier"}),
    TAG: ({"tag": "vip"}, {"exclude.tag": "vip"}),
}
"""The parameters that ask about a matter."""
TYPED = {
    COST: ("metric:profit", "sort:-metric metric:profit"),
    SUPPLIER: ("supplier:Up", "-supplier:Up", "供货商:Up", "group:supplier"),
    TAG: ("tag:vip", "-tag:vip", "标签:vip"),
}
WHO = {
    "buyer": ("buyer", "", {COST, SUPPLIER, TAG}),
    "purchases": ("merchant", "purchases", {COST, SUPPLIER, TAG}),
    "owner": ("merchant", "sales", set()),
    "operator": ("merchant", "sales", {COST}),
    "finance": ("merchant", "sales", set()),
    "support": ("merchant", "sales", {COST}),
    "platform": ("operator", "", set()),
}
"""By role: its area, the view, and what it may not ask about."""
SENTENCE = "You may not ask about"


@pytest.fixture(scope="module")
def people(database):
    from tests.support.people import make_shop, make_user

    shop = make_shop(4)
    return {
        **{str(role): user for role, user in shop.staff.items()},
        "buyer": shop.buyer,
        "purchases": shop.agent_owner,
        "platform": make_user("op", is_operator=True, buyer=False),
    }


def client(user):
    from django.test import Client

    browser = Client(headers={"accept-language": "en"})
    browser.force_login(user)
    return browser


def path(area):
    return {"buyer": "/orders", "merchant": "/m/orders", "operator": "/ops/orders"}[area]


def ways(matter):
    """(parameters of a list, the query as JSON) of everything that asks about a matter."""
    from chadan.orders import number
    from chadan.search import grammar, url

    for given in ASKED[matter]:
        yield given, url.from_pairs(given.items(), now=number.now()).query
    for typed in TYPED[matter]:
        yield {"q": typed}, grammar.parse(typed, number.now()).query


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("matter", ASKED)
def test_pages_and_export_form_refuse_what_the_role_may_not_see(people, who, matter):
    area, view, hidden = WHO[who]
    browser = client(people[who])
    for given, query in ways(matter):
        shown = {**given, "view": view, "date": "all"} if view else {**given, "date": "all"}
        page = browser.get(path(area), shown)
        assert page.status_code == 200
        assert (SENTENCE in page.content.decode()) == (matter in hidden), shown
        form = browser.get("/exports/new", {"area": area, "within": urlencode(shown)})
        sent = browser.post(
            "/exports/new", {"area": area, "view": view, "query": query.to_json(), "format": "csv", "open": "0"}
        )
        if matter in hidden:
            assert SENTENCE in form.content.decode() and form.status_code == 422, shown
            assert SENTENCE in sent.content.decode() and sent.status_code == 403, shown
        else:
            assert SENTENCE not in form.content.decode() + sent.content.decode(), shown
            assert sent.status_code in (302, 409), shown


def test_a_page_leaves_out_the_part_it_may_not_answer(people):
    browser = client(people["buyer"])
    page = browser.get("/orders", {"tag": "no such tag", "date": "all"}).content.decode()
    assert "4 of 4 orders" in page and "no such tag" not in page.partition('id="results"')[2]


@pytest.mark.parametrize("who", ["buyer", "purchases", "owner", "platform"])
@pytest.mark.parametrize("matter", ASKED)
def test_the_api_refuses_what_the_role_or_the_key_may_not_see(people, who, matter):
    from tests.support.people import acting

    from chadan.api.keys import READ, create_key, grantable

    _, view, hidden = WHO[who]
    actor = acting(people[who])
    whole, narrow = create_key(actor, "all", grantable(actor))[0], create_key(actor, "reading", [READ])[0]
    for key, kept in ((whole, hidden), (narrow, hidden | {COST, SUPPLIER})):
        for given, query in ways(matter):
            counting = query.intent != "list" or query.group_by or query.metric == "profit"
            params = {**given, "view": "purchases"} if view == "purchases" else given
            answer = request(f"/api/v1/orders{'/summary' if counting else ''}", key, params=params.items())
            assert answer.status == (403 if matter in kept else 200), (params, answer.body)
            if answer.status == 403:
                assert json.loads(answer.body)["errors"][0]["field"].rpartition(".")[2] in (
                    *ASKED,
                    "metric",
                    "group_by",
                )


@pytest.mark.parametrize("who", WHO)
def test_columns_follow_the_same_rule_everywhere(people, who):
    from tests.support.people import acting

    from chadan.exports.services import open_columns
    from chadan.web.orders.areas import AREAS
    from chadan.web.orders.columns import available

    area, view, hidden = WHO[who]
    actor = acting(people[who])
    listed = {column.key for column in available(AREAS[area], actor, view or None)}
    exported = {column.value for column in open_columns(actor, view)}
    for matter, names in ((COST, {"cost", "profit"}), (SUPPLIER, {"supplier"}), (TAG, {"tags"})):
        assert (names <= listed, names <= exported) == (matter not in hidden,) * 2
        assert bool(names & listed) == bool(names & exported) == (matter not in hidden)
    assert ("supplier_no" in exported) == (SUPPLIER not in hidden)


def test_staff_see_the_supplier_on_the_order_and_the_buyer_does_not(people):
    from tests.support.people import acting

    from chadan.orders.detail import get_detail
    from chadan.search.order_query import OrderQuery
    from chadan.search.service import find_orders

    order_no = find_orders(acting(people["buyer"]).scope, OrderQuery()).rows[0].order_no
    for who in ("owner", "operator", "finance", "support", "buyer"):
        detail = get_detail(acting(people[who]), order_no)
        assert bool(detail.deliveries[0].supplier_no) == detail.sees_supplier == (who != "buyer")
