"""The pages of exports, as a browser without JavaScript walks them."""

from __future__ import annotations

import hashlib
import re

import pytest

from chadan.orders import number

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(orders=6)


def client(user):
    from django.test import Client

    browser = Client(headers={"accept-language": "en"})
    browser.force_login(user)
    return browser


def hidden(page):
    """The form's hidden fields, as pairs."""
    from html import unescape

    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return [(name, unescape(value)) for name, value in found if name in ("area", "query", "view", "selected")]


def send(browser, page, **fields):
    data = {"format": "csv", "columns": ["order_no", "amount"], "open": "0", **fields}
    for name, value in hidden(page):
        data.setdefault(name, [])
        if isinstance(data[name], list):
            data[name].append(value)
    return browser.post("/exports/new", data)


def written(address):
    from chadan.exports import runner
    from chadan.exports.models import ExportJob

    job = ExportJob.objects.get(pk=address.rpartition("/")[2])
    return runner.run(job)


def test_from_the_list_to_the_file(shop):
    browser = client(shop.staff["owner"])
    page = browser.get("/exports/new?area=merchant&view=sales&date=7d&status=completed").content.decode()
    assert "3 orders" in page
    started = send(browser, page)
    assert started.status_code == 302
    waiting = browser.get(started["Location"]).content.decode()
    assert 'hx-trigger="every 1s"' in waiting
    job = written(started["Location"])
    done = browser.get(started["Location"]).content.decode()
    assert job.sha256 in done
    assert "hx-trigger" not in done.partition('id="export"')[2]
    file = browser.get(f"{started['Location']}/download")
    body = b"".join(file.streaming_content)
    assert hashlib.sha256(body).hexdigest() == job.sha256
    assert file["ETag"] == f'"{job.sha256}"'
    assert int(file["Content-Length"]) == len(body) == job.bytes
    assert file["Content-Disposition"] == f'attachment; filename="{job.filename}"'
    assert body.decode("utf-8-sig").startswith('"Order number","Amount"\r\n')
    assert body.count(b"\r\n") == 4
    again = browser.get(f"{started['Location']}/download", headers={"if-none-match": file["ETag"]})
    assert again.status_code == 304
    assert job.filename in browser.get("/exports").content.decode()


def test_ticked_orders_alone_are_taken(shop):
    browser = client(shop.staff["owner"])
    picked = [number.text(shop.orders[0]), number.text(shop.orders[2])]
    query = {"area": "merchant", "within": "view=sales&date=7d", "selected": picked}
    page = browser.get("/exports/new", query).content.decode()
    assert "2 orders" in page
    job = written(send(browser, page)["Location"])
    assert job.rows_done == 2
    everything = browser.get("/exports/new", {**query, "everything": "3"}).content.decode()
    assert "selected" not in dict(hidden(everything))


def test_a_bare_address_means_all_orders_and_a_buyer_takes_its_own(shop):
    browser = client(shop.buyer)
    page = browser.get("/exports/new?area=buyer").content.decode()
    assert "All orders" in page
    job = written(send(browser, page, open="1")["Location"])
    assert job.rows_done == 6
    assert job.masked is False


def test_bad_wishes_get_a_sentence(shop):
    browser = client(shop.staff["support"])
    page = browser.get("/exports/new?area=merchant&view=sales").content.decode()
    refused = send(browser, page, open="1")
    assert refused.status_code == 403
    assert "masked" in refused.content.decode()
    assert send(browser, page, format="doc").status_code == 400
    assert browser.post("/exports/new", {"area": "merchant", "query": "{", "format": "csv"}).status_code == 422
    assert browser.get("/exports/new?area=merchant&nonsense=1").status_code == 422
    assert browser.get("/exports/new?area=operator").status_code == 404


def test_cancel_and_start_again(shop):
    browser = client(shop.staff["owner"])
    page = browser.get("/exports/new?area=merchant&view=sales").content.decode()
    address = send(browser, page)["Location"]
    assert browser.get(f"{address}/download").status_code == 409
    assert "cancelled" in browser.post(f"{address}/cancel", follow=True).content.decode()
    assert "already finished" in browser.post(f"{address}/cancel", follow=True).content.decode()
    assert browser.post(f"{address}/retry").status_code == 302
    assert written(address).state == "done"


def test_anothers_export_looks_like_none(shop):
    from tests.support.people import make_shop

    address = send(
        client(shop.staff["finance"]),
        client(shop.staff["finance"]).get("/exports/new?area=merchant&view=sales").content.decode(),
    )["Location"]
    written(address)
    nowhere = "/exports/00000000-0000-4000-8000-000000000000"
    stranger = client(make_shop(orders=0).staff["owner"])
    for suffix, method in (("", "get"), ("/download", "get"), ("/cancel", "post"), ("/retry", "post")):
        answers = [getattr(stranger, method)(f"{base}{suffix}") for base in (address, nowhere)]
        assert [answer.status_code for answer in answers] == [404, 404]
        bodies = [
            re.sub(r'name="csrfmiddlewaretoken" value="\w+"|/exports/[\w-]+', "", a.content.decode()) for a in answers
        ]
        assert bodies[0] == bodies[1]
    assert client(shop.staff["owner"]).get(address).status_code == 200


def test_strangers_are_sent_to_the_login_page(database):
    from django.test import Client

    for address in ("/exports", "/exports/new", "/exports/00000000-0000-4000-8000-000000000000/download"):
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")
