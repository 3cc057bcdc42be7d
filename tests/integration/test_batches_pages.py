"""The pages of batch actions, without JavaScript: bar, texts, preview, confirmation, progress, report, undo."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest

from chadan.orders import number

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(4)


@pytest.fixture
def browser(shop):
    return browser_of(shop, "owner")


def browser_of(shop, role):
    from django.test import Client

    browser = Client(headers={"accept-language": "en"})
    browser.force_login(shop.staff[role])
    return browser


def start(browser, shop, action, **fields):
    ticked = {"selected": [number.text(one) for one in shop.orders]} if "everything" not in fields else {}
    return browser.post("/m/orders/batch", {"action": action, "next": "/m/orders?date=all", **ticked, **fields})


def text_of(answer):
    page = unescape(answer.content.decode())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))


def work(address):
    from uuid import UUID

    from chadan.batches import runner

    runner.run(UUID(address.rsplit("/", 1)[1]))


def test_the_bar_offers_what_the_role_may(shop):
    def offered(role, where="/m/orders?view=sales&date=all"):
        page = browser_of(shop, role).get(where).content.decode()
        return re.findall(r'<option value="(\w+)">', page.partition('id="batch-action"')[2].partition("</select>")[0])

    assert offered("owner") == ["tag", "untag", "note", "retry", "deliver", "refund", "export"]
    assert offered("support") == ["tag", "untag", "note", "retry", "deliver", "export"]
    assert offered("finance") == ["note", "refund", "export"]
    from django.test import Client

    buyer = Client()
    buyer.force_login(shop.buyer)
    page = buyer.get("/orders?date=all").content.decode()
    assert "batch-action" not in page and "/exports/new" in page


def test_a_tag_from_the_bar_to_the_undone_report(browser, shop):
    asked = start(browser, shop, "tag")
    assert asked.status_code == 200 and 'name="tag"' in asked.content.decode()
    assert "Write something first" in text_of(start(browser, shop, "tag", asked="1"))
    there = start(browser, shop, "tag", asked="1", tag="checked")["Location"]
    preview = text_of(browser.get(there))
    assert "4 orders" in preview and "392.00" in preview and "Can be undone" in preview and "checked" in preview
    assert browser.post(f"{there}/confirm")["Location"] == there
    running = browser.get(there)
    assert "<progress" in running.content.decode() and "Refresh" in text_of(running)
    work(there)
    done = text_of(browser.get(there))
    assert "4 / 4" in done and "What became of each order" in done
    report = browser.get(f"{there}/results.csv")
    rows = list(csv.reader(io.StringIO(b"".join(report.streaming_content).decode("utf-8-sig"))))
    assert [row[0].strip() for row in rows[1:]] == [number.text(one) for one in sorted(shop.orders)]
    assert {row[1] for row in rows[1:]} == {"Done"}
    again = start(browser, shop, "tag", asked="1", tag="checked")["Location"]
    assert "4 of 4: It has the tag already" in text_of(browser.get(again))
    assert "no order it could act on" in text_of(browser.post(f"{again}/confirm"))
    browser.post(f"{there}/undo")
    work(there)
    assert "What could be put back was put back" in text_of(browser.get(there))
    assert "There is nothing to undo now" in text_of(browser.post(f"{there}/undo", follow=True))


def test_a_refund_wants_the_number_of_orders_typed(shop):
    browser = browser_of(shop, "finance")
    asked = start(browser, shop, "refund")
    assert 'name="reason"' in asked.content.decode()
    there = start(browser, shop, "refund", asked="1", reason="stock ran out")["Location"]
    assert "4 of 4: It was paid outside this site" in text_of(browser.get(there))


def test_what_a_role_may_not_do_is_refused(shop):
    browser = browser_of(shop, "support")
    assert "Your role does not allow this" in text_of(
        browser.get(start(browser, shop, "refund", asked="1", reason="x")["Location"])
    )
    assert browser.get("/m/batches").status_code == 200


def test_every_page_of_a_batch_is_its_shops_own(browser, shop):
    from django.test import Client
    from tests.support.people import make_merchant, make_staff

    there = start(browser, shop, "note", asked="1", note="n")["Location"]
    stranger = Client()
    stranger.force_login(make_staff(make_merchant("elsewhere")))
    for path in ("", "/results.csv"):
        assert stranger.get(there + path).status_code == 404
    for path in ("/confirm", "/cancel", "/undo", "/resume"):
        assert stranger.post(there + path).status_code == 404
    assert browser_of(shop, "support").get(there).status_code == 404, "only owners see what others prepared"


def test_an_export_batch_goes_through_the_export_form(browser, shop):
    from tests.support.people import acting

    from chadan.exports import runner, services
    from chadan.exports.models import ExportJob

    there = start(browser, shop, "export")["Location"]
    link = re.search(r"/exports/new\?batch=[0-9a-f-]+", browser.get(there).content.decode())
    form = browser.get(link[0])
    assert "4 orders" in text_of(form) and "392.00" in text_of(form)
    batch = there.rsplit("/", 1)[1]
    sent = browser.post(
        "/exports/new",
        {
            "area": "merchant",
            "batch": batch,
            "query": "{}",
            "view": "",
            "format": "csv",
            "columns": ["order_no"],
            "open": "0",
        },
    )
    job = ExportJob.objects.get(pk=sent["Location"].rsplit("/", 1)[1])
    runner.run(job)
    _job, path = services.open_download(acting(shop.staff["owner"]), job.pk)
    lines = path.read_bytes().decode("utf-8-sig").splitlines()[1:]
    assert [line.strip('"\t') for line in lines] == [number.text(one) for one in sorted(shop.orders, reverse=True)]
    assert f"/exports/{job.pk}" in browser.get(there).content.decode()
    assert browser.post("/exports/new", {"area": "merchant", "batch": batch, "format": "csv"}).status_code == 409
