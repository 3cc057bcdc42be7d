"""What agents and suppliers do: repeat themselves, break off after charging, report on others' orders (rows 12, 13 and 14)."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support.fault_ground import Ground
from tests.support.waiting import eventually


def call(url: str, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    """One POST of JSON: (status, JSON, headers)."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        connection.request("POST", path, json.dumps(body), sent)
        answer = connection.getresponse()
        told = {name.lower(): text for name, text in answer.getheaders()}
        return answer.status, json.loads(answer.read() or b"{}"), told
    finally:
        connection.close()


def test_row_12_the_same_idempotency_key(ground: Ground) -> None:
    agency = ground.hand("open_agency", cards=4)
    assert "error" not in agency, agency
    wanted = {"product_id": agency["product"], "quantity": 1, "your_order_no": "A-1"}

    def place(key: str, **changed: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        said = {"Authorization": f"Bearer {agency['key']}", "Idempotency_Key": key}
        return call(ground.site.url, "/api/v1/supply/orders", {**wanted, **changed}, **said)

    with ThreadPoolExecutor(5) as clicks:
        at_once = list(clicks.map(lambda _click: place("k1"), range(5)))
    replayed = place("k1")
    other = place("k1", quantity=2)
    under_way = [one for one in at_once if one[0] == 409]
    placed = [one for one in at_once if one[0] == 201]
    assert placed and len(placed) + len(under_way) == 5
    numbers = {one[1]["order_no"] for one in (*placed, replayed)}
    assert len(numbers) == 1 and replayed[0] == 201 and "idempotent-replayed" in replayed[2]
    assert other[0] == 422, other
    order_no = int(numbers.pop())
    ground.site.becomes(order_no, "delivered")
    assert ground.site.one("select count(*) from orders where merchant_id = %s", agency["merchant"]) == 1
    ground.record(
        "12",
        "one Idempotency-Key: 5 at once, again, again with another body",
        "replay / 422",
        f"1 order; {len(placed)} × 201 and {len(under_way)} × 409 at once, replayed 201, {other[0]}",
        [order_no],
    )


def upset(ground: Ground, kind: str, value: float = 0.0) -> None:
    """From the next order on the supplier misbehaves so, once."""
    status, _told, _headers = call(
        ground.sandbox.url,
        "/supplier/_control/faults",
        {"kind": kind, "value": value, "protocol": "dujiao", "times": 1},
    )
    assert status == 200


def bought(ground: Ground, order_no: int) -> list[dict[str, Any]]:
    """The orders the supplier has for one of ours."""
    requests = ground.site.rows("select request_no from order_deliveries where order_no = %s", order_no)
    told = ground.sandbox._call("GET", f"{ground.sandbox.url}/supplier/_control")
    ours = {row[0] for row in requests}
    return [one for one in json.loads(told[2])["dujiao"]["orders"] if one["request_no"] in ours]


@pytest.mark.long
def test_row_13_a_supplier_that_breaks_off_after_charging(ground: Ground) -> None:
    shop = ground.shop(0, protocols=("epay1",))
    made = ground.hand("supply", owner=shop["owner"], product=shop["product"], sandbox=ground.sandbox.url)
    assert isinstance(made, list), made
    upset(ground, "late", 0.5)
    order_no, out_no = ground.begin(shop)
    ground.sandbox.pay(out_no, "epay1")
    ground.site.becomes(order_no, "processing")
    assert len(eventually(lambda: bought(ground, order_no), "the charge", 20)) == 1
    ground.site.becomes(order_no, "delivered", 90)
    theirs = bought(ground, order_no)
    assert len(theirs) == 1
    ground.record(
        "13",
        "the supplier charges, then breaks the connection off",
        "query first; one supplier order",
        f"delivered; {len(theirs)} order at the supplier, {len(ground.hand('cards_of', owner=shop['owner'], order_no=order_no))} card",
        [order_no],
    )


def test_row_14_a_supplier_that_reports_on_anothers_order(ground: Ground) -> None:
    shop = ground.shop(0, protocols=("epay1",))
    given = {"owner": shop["owner"], "product": shop["product"], "sandbox": ground.sandbox.url}
    right, wrong = ground.hand("supply", times=2, **given)
    upset(ground, "slow")
    order_no, out_no = ground.begin(shop)
    ground.sandbox.pay(out_no, "epay1")
    ground.site.becomes(order_no, "processing")
    theirs = eventually(lambda: bought(ground, order_no), "the order at the supplier", 20)[0]
    told = "select count(*) from external_refs where order_no = %s and kind = 3"
    eventually(lambda: ground.site.one(told, order_no), "the supplier's number", 20)
    before = state(ground, order_no)
    own, other = f"/supply/notify/{right}/", f"/supply/notify/{wrong}/"
    ground.proxy.rules[own] = lambda passing: [replace(passing, target=other)]
    finish = {"protocol": "dujiao", "order": theirs["number"]}
    call(ground.sandbox.url, "/supplier/_control/finish", finish)
    statuses = [answer[0] for _passing, answer in ground.proxy.of(other) if answer]
    assert statuses == [404]
    assert state(ground, order_no) == before
    ground.proxy.rules.clear()
    call(ground.sandbox.url, "/supplier/_control/finish", finish)
    ground.site.becomes(order_no, "delivered", 60)
    ground.record(
        "14",
        "supplier B reports, rightly signed, on supplier A's order",
        "404, unchanged",
        f"{statuses[0]}, order, delivery, events and references unchanged; A's own report delivered it",
        [order_no],
    )


def state(ground: Ground, order_no: int) -> list[tuple[Any, ...]]:
    """Which versions of its rows an order has."""
    return ground.site.rows(
        "select o.xmin::text, d.xmin::text, (select count(*) from order_events e where e.order_no = o.order_no),"
        " (select count(*) from external_refs r where r.order_no = o.order_no)"
        " from orders o join order_deliveries d using (order_no, home) where o.order_no = %s",
        order_no,
    )
