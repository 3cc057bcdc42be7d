"""What is done to many orders of a list at once, and how many the list says there are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from chadan.orders import number

pytestmark = pytest.mark.integration
WITHIN = "view=sales&amount_max=300.00&date=all"


@pytest.fixture(scope="module")
def shop(database):
    """A shop with 1,300 bare orders besides two whole ones; a hundred and twenty of them cost up to 300 yuan."""
    from tests.support.people import make_shop

    shop = make_shop(2)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)
    with psycopg.connect(
        host=database.host, port=database.port, dbname=database.name, user=database.user, password=database.password
    ) as owner:
        version = owner.execute("select version_id from orders where order_no = %s", (shop.orders[0],)).fetchone()
        assert version is not None
        rows = [
            (
                number.make(start + timedelta(minutes=place), shop.merchant.home),
                shop.merchant.home,
                shop.merchant.pk,
                shop.buyer.buyer.pk,
                version[0],
                *(2 * (20_000 if place < 120 else 50_000,)),
            )
            for place in range(1300)
        ]
        owner.cursor().executemany(
            "insert into orders (order_no, home, merchant_id, buyer_id, version_id, category, status, amount, paid, cost,"
            " platform, account, buyer_key, paid_at, event_seq)"
            " values (%s, %s, %s, %s, %s, 0, 4, %s, %s, 0, 'shop', '', '', now(), 0)",
            rows,
        )
        owner.execute("analyze orders")
    return shop


@pytest.fixture
def browser(shop):
    from django.test import Client

    browser = Client(headers={"accept-language": "en"})
    browser.force_login(shop.staff["owner"])
    return browser


def said(browser: Any, answer: Any) -> str:
    assert answer.status_code == 302
    page: str = browser.get(answer["Location"]).content.decode()
    return unescape(page)


def everything(**fields: str) -> dict[str, str]:
    return {"everything": "1", "within": WITHIN, "next": f"/m/orders?{WITHIN}", **fields}


def test_a_whole_list_is_frozen_with_its_count_and_the_compilers_sum(browser, shop):
    from tests.support.people import acting

    from chadan.batches.models import Batch
    from chadan.search.order_query import OrderQuery, Range
    from chadan.search.summaries import summarise

    asked = browser.post("/m/orders/batch", everything(action="tag", asked="1", tag="check"))
    page = browser.get(asked["Location"]).content.decode()
    # 120 at 200.00 and the one of the two others that was sold directly
    assert "121 orders" in page and "24,098.00" in page and "check" in page
    query = OrderQuery(intent="sum", amount=Range(max=30_000))
    told = summarise(acting(shop.staff["owner"]).scope, query, "sales")
    batch = Batch.objects.get(pk=asked["Location"].rsplit("/", 1)[1])
    assert (batch.able, batch.able_amount) == (told.orders, told.value)


def test_a_search_that_was_not_understood_freezes_and_exports_nothing(browser, shop):
    within = "view=sales&q=stauts:completed"
    answer = browser.post("/m/orders/batch", everything(action="tag", asked="1", tag="wrong", within=within))
    assert "Unknown filter" in said(browser, answer)
    form = browser.get("/exports/new", {"area": "merchant", "within": within})
    assert form.status_code == 422 and "Unknown filter" in form.content.decode()
    ticked = {"area": "merchant", "within": within, "selected": number.text(shop.orders[0])}
    assert browser.get("/exports/new", ticked).status_code == 200, "what is ticked needs no search"


@pytest.mark.parametrize("wrong", ["9" * 5000, "9" * 19, "１" * 19, "12", "-1", ""])
def test_what_is_no_order_number_gets_a_sentence(browser, shop, wrong):
    ticked = {"action": "note", "asked": "1", "note": "x", "selected": [number.text(shop.orders[0]), wrong]}
    assert "not an order number" in said(browser, browser.post("/m/orders/batch", ticked))
    assert browser.get(f"/m/orders/{wrong or 0}").status_code == 404
    assert browser.get("/exports/new", {"area": "merchant", "selected": [wrong]}).status_code == 400


def test_addresses_hold_no_token(shop):
    """The bar that only exports goes to an address; the one that acts is posted."""
    from django.test import Client

    for user, where, method in (
        (shop.staff["owner"], f"/m/orders?{WITHIN}", "post"),
        (shop.agent_owner, "/m/orders?view=purchases&date=all", "get"),
        (shop.buyer, "/orders?date=all", "get"),
    ):
        client = Client()
        client.force_login(user)
        bar = client.get(where).content.decode().partition('<form class="batch"')[2].partition("</form>")[0]
        assert f'method="{method}"' in bar[:100]
        assert ("csrfmiddlewaretoken" in bar) is (method == "post")


def test_list_and_export_form_say_about_how_many_there_are(browser):
    shown = browser.get("/m/orders?view=sales&date=all").content.decode()
    assert re.search(r"50 of about 1,[1-9]00 orders", shown)
    assert re.search(r"Select all about 1,[1-9]00", shown)
    form = browser.get("/exports/new", {"area": "merchant", "within": "view=sales&date=all"}).content.decode()
    assert re.search(r"about 1,[1-9]00 orders", form)
    assert "50 of 121 orders" in browser.get(f"/m/orders?{WITHIN}").content.decode()
    assert "about 70 orders" not in browser.get("/m/orders?view=sales&date=all&limit=70").content.decode()


def test_an_empty_list_speaks_of_a_time_range_only_where_there_is_one(browser):
    assert "time range" not in empty(browser, "date=all&platform=nowhere")
    assert "time range" in empty(browser, "date=7d&platform=nowhere")


def empty(browser: Any, query: str) -> str:
    page: str = browser.get(f"/m/orders?view=sales&{query}").content.decode()
    assert "No order matches" in page
    return page.partition('<div class="empty">')[2].partition("</div>")[0]


def test_a_measure_without_a_question_changes_nothing_and_a_question_is_answered(browser):
    for query in ("q=metric:quantity", "metric=quantity"):
        assert "changes nothing without a question" in browser.get(f"/m/orders?view=sales&{query}").content.decode()
    for query in ("q=group:day", "q=show:sum", "group_by=day"):
        assert 'data-part="answer"' in browser.get(f"/m/orders?view=sales&{query}").content.decode()


def test_a_number_of_the_wrong_length_is_told_from_a_miss(browser, shop):
    ours = number.text(shop.orders[0])
    for typed, words in (
        (ours[:-1], "one is missing"),
        (ours[:-2], "two are missing"),
        (ours + "7", "one is too many"),
        (ours[:-1] + str((int(ours[-1]) + 1) % 10), "a digit is wrong"),
    ):
        assert words in browser.get("/m/orders", {"q": typed}).content.decode(), typed
        assert words in browser.get("/exports/new", {"area": "merchant", "within": f"q={typed}"}).content.decode()
    page = browser.get("/m/orders", {"q": ours})
    assert parse_qs(urlsplit(page["Location"]).query)["in"], "our own number still goes straight to its order"


def test_a_doubt_about_a_number_is_moot_once_it_is_found(browser, shop):
    from tests.support.people import make_order, make_version

    foreign = "261101000000000001"  # another shop's 18 digits
    make_order(shop.merchant, shop.buyer.buyer, make_version(shop.merchant), account=foreign)
    page = browser.get("/m/orders", {"q": foreign}).content.decode()
    assert "one is missing" not in page and "1 of 1 orders" in page
    assert browser.get("/exports/new", {"area": "merchant", "within": f"q={foreign}"}).status_code == 200
