"""What a visitor sees when something is not right, where an address that only takes forms leads, and what pages say."""

from __future__ import annotations

import re

import pytest
from tests.support.wsgi import request

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_order, make_shop, make_version

    from chadan.orders import number

    made = make_shop(0)
    made.order_no = number.text(make_order(made.merchant, made.buyer.buyer, make_version(made.merchant)))
    return made


def client_of(user=None, **extra):
    from django.test import Client

    client = Client(raise_request_exception=False, **extra)
    if user is not None:
        client.force_login(user)
    return client


def said(response) -> tuple[int, str]:
    """Status and heading of a page; fails when it is not one of Chadan's."""
    body = response.content.decode()
    assert 'class="skip"' in body, body[:300]
    headings = re.findall(r"<h1>(.*?)</h1>", body)
    assert len(headings) == 1, headings
    return response.status_code, headings[0]


@pytest.mark.parametrize(("language", "heading"), [("zh-hans", "找不到此页"), ("en", "Page not found")])
def test_an_unknown_address_has_a_page_in_the_readers_language(shop, language, heading):
    client = client_of(shop.staff["owner"], headers={"accept-language": language})
    response = client.get("/no/such/page")
    assert said(response) == (404, heading)
    assert 'href="/m/orders?view=sales"' in response.content.decode(), "the navigation is there"
    assert said(client_of(headers={"accept-language": language}).get("/no/such/page")) == (404, heading)


def test_a_body_too_large_is_said_to_be(shop):
    for client in (client_of(), client_of(shop.staff["owner"])):
        assert said(client.post("/preferences", {"next": "/", "theme": "x" * 10_000_000})) == (413, "内容过大")
    strict = client_of(shop.staff["owner"], enforce_csrf_checks=True)
    strict.get("/account")  # gives the token's cookie
    form = "theme=" + "x" * 10_000_000
    response = strict.post("/preferences", form, content_type="application/x-www-form-urlencoded")
    assert said(response) == (413, "内容过大")


def test_a_wrong_host_is_answered_with_a_page(shop):
    response = client_of(shop.staff["owner"], headers={"host": "evil.example"}).get("/orders")
    assert said(response) == (400, "出了点问题")
    assert "evil.example" not in response.content.decode()


def test_a_wrong_method_is_answered_with_a_page(shop):
    client = client_of(shop.staff["owner"])
    for path in ("/m/orders", "/preferences", f"/m/orders/{shop.order_no}/reveal"):
        response = client.put(path)
        assert said(response) == (405, "此地址不是页面") and "GET" in response.headers["Allow"]


def test_a_stale_form_says_the_status_it_has_and_keeps_messages_for_later(shop):
    client = client_of(shop.staff["owner"], enforce_csrf_checks=True)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get("/account").content.decode())[1]
    client.post("/account", {"display_name": "甲", "language": "zh-hans", "csrfmiddlewaretoken": token})
    response = client.post("/account", {"display_name": "乙", "language": "zh-hans"})
    assert said(response) == (403, "表单已失效")
    assert "403" in response.content.decode() and "已保存" not in response.content.decode()
    assert "已保存" in client.get("/account").content.decode()


def test_a_defect_has_a_page_that_asks_nothing_of_what_may_be_broken(shop, monkeypatch):
    from chadan.web import nav

    def broken(*_args: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("chadan.web.orders.list_page.service.status_counts", broken)
    monkeypatch.setattr(nav, "_MERCHANT", None)
    response = client_of(shop.staff["owner"]).get("/m/orders")
    assert said(response) == (500, "出了点问题") and "secret detail" not in response.content.decode()


def test_too_many_attempts_have_a_page(database):
    from django.test import RequestFactory

    from chadan.web.error_pages import too_many

    assert said(too_many(RequestFactory().get("/accounts/login/"))) == (429, "尝试次数过多")


def test_the_api_keeps_its_own_shape(database):
    answer = request("/api/v1/nothing")
    assert (answer.status, answer.json()["code"]) == (404, "not_found")


def test_a_form_only_address_leads_to_its_page(shop):
    client = client_of(shop.staff["owner"])
    order = f"/m/orders/{shop.order_no}"
    for path, page in {
        f"{order}/reveal": order,
        f"{order}/notes?in=view%3Dsales": f"{order}?in=view%3Dsales",
        f"{order}/tags": order,
        f"{order}/tags/7/remove": order,
        "/m/orders/batch": "/m/orders",
        "/switch": "/",
        "/preferences": "/",
        "/keys/1/revoke": "/keys",
        "/m/staff/1": "/m/staff",
    }.items():
        response = client.get(path)
        assert (response.status_code, response.headers["Location"]) == (302, page)


def test_preferences_never_go_back_to_an_address_that_only_takes_forms(shop):
    client = client_of(shop.staff["owner"])
    order = f"/m/orders/{shop.order_no}"
    for wanted, page in {f"{order}/reveal?in=q": f"{order}?in=q", order: order, "/switch": "/", "//evil": "/"}.items():
        response = client.post("/preferences", {"language": "en", "next": wanted})
        assert (response.status_code, response.headers["Location"]) == (302, page)


def test_a_receipt_has_one_heading_and_a_payment_is_no_top_up_that_arrived(shop):
    client = client_of(shop.staff["owner"])
    order = f"/m/orders/{shop.order_no}"
    assert said(client.get(f"{order}/receipt")) == (200, "收据")

    from chadan.orders import number
    from chadan.orders.detail import Moment
    from chadan.web.orders.timeline import told

    fields = {"at": number.now(), "actor_kind": "gateway", "who": "", "data": {}}
    assert [one.what for one in told([Moment(kind="paid", **fields)])] == ["已付款"]
