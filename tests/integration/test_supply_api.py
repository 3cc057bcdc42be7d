"""The supply API as an agent's own system uses it: what it lists, buys, replays, refuses and reports."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]


def key_of(agency: Any, *scopes: str) -> str:
    from chadan.api.keys import create_key

    return create_key(agency.shop.owner, "supply", scopes or ("supply",))[0]


def call(key: str, method: str, path: str, body: Any = None, idempotency: str = "", query: str = "") -> Any:
    """One request through the API's own handler: (status, JSON, headers)."""
    import io

    from chadan.platform.wsgi import application

    sent = b"" if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/api/v1/supply{path}",
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "HTTP_HOST": "127.0.0.1:8000",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent),
        "wsgi.errors": io.StringIO(),
        "CONTENT_LENGTH": str(len(sent)),
        "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "HTTP_ACCEPT_LANGUAGE": "en",
        **({"HTTP_IDEMPOTENCY_KEY": idempotency} if idempotency else {}),
    }
    told: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]]) -> Any:
        told.update(status=int(status[:3]), headers=dict(headers))
        return lambda _body: None

    answer = application(environ, start)
    try:
        text = b"".join(answer)
    finally:
        answer.close()  # type: ignore[attr-defined]
    return told["status"], json.loads(text), told["headers"]


def wanted(agency: Any, number: str, **more: Any) -> dict[str, Any]:
    return {"product_id": str(agency.above.product.pk), "quantity": 1, "your_order_no": number, **more}


def fits(answer: Any, name: str) -> None:
    """Whether the answer is what the document promises."""
    from chadan.api.v1 import document

    described = json.loads(document())
    jsonschema.validate(answer, {"$ref": f"#/components/schemas/{name}", "components": described["components"]})


def test_it_lists_what_is_open_at_the_agents_price_and_what_the_wallet_holds() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import make_product

    agency = make_agency()
    make_product(agency.above.merchant, title="not for agents")
    agency.above.import_text("LIST-0001-CARD")
    key = key_of(agency)
    status, listed, _headers = call(key, "GET", "/products")
    fits(listed, "SupplyProducts")
    [only] = listed["data"]
    assert status == 200
    assert (only["price"], only["stock"], only["merchant"]) == ("9.00", 1, agency.above.merchant.slug)
    _status, held, _headers = call(key, "GET", "/balance")
    fits(held, "SupplyBalances")
    assert [row["balance"] for row in held["data"]] == ["100.00"]
    assert call(key, "GET", "/products", query="merchant=elsewhere")[1] == {"data": []}


def test_an_order_is_paid_from_the_wallet_and_its_cards_are_read_once_delivered() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import one, rows

    agency = make_agency()
    agency.above.import_text("API-0001-CARD", "API-0002-CARD")
    key = key_of(agency)
    status, made, _headers = call(key, "POST", "/orders", wanted(agency, "A-1", quantity=2), "k1")
    fits(made, "SupplyOrder")
    assert (status, made["status"], made["amount"], made["cards"]) == (201, "delivered", "18.00", [])
    assert agency.wallet() == 10_000 - 1800
    order_no = int(made["order_no"])
    assert not rows("select 1 from idempotent_answers a where a::text like %s", "%API-000%"), "no card is kept"
    _status, found, _headers = call(key, "GET", f"/orders/{made['order_no']}")
    fits(found, "SupplyOrder")
    assert found["status"] == "delivered" and sorted(found["cards"]) == ["API-0001-CARD", "API-0002-CARD"]
    assert one("select count(*) from order_events where order_no = %s and type = 'card.revealed'", order_no) == 1
    _status, listed, _headers = call(key, "GET", "/orders", query="your_order_no=A-1")
    fits(listed, "SupplyOrders")
    assert [row["order_no"] for row in listed["data"]] == [made["order_no"]]
    assert call(key, "GET", "/orders", query="your_order_no=A-2")[1] == {"data": []}


def test_the_same_key_is_answered_the_same_and_buys_once() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import one

    agency = make_agency()
    agency.above.import_text("IDEM-0001-CARD", "IDEM-0002-CARD")
    key, order = key_of(agency), wanted(agency, "A-1")
    first = call(key, "POST", "/orders", order, "same")
    again = call(key, "POST", "/orders", order, "same")
    assert first[:2] == again[:2] and first[0] == 201
    assert again[2]["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first[2]
    other = call(key, "POST", "/orders", wanted(agency, "A-2"), "same")
    assert (other[0], other[1]["code"]) == (422, "idempotency_key_reused")
    twice = call(key, "POST", "/orders", order, "another")
    assert (twice[0], twice[1]["code"], twice[1]["errors"][0]["field"]) == (422, "order_refused", "your_order_no")
    assert call(key, "POST", "/orders", order)[1]["code"] == "idempotency_key_missing"
    assert one("select count(*) from orders where agent_id = %s", agency.shop.merchant.pk) == 1
    assert agency.wallet() == 9100


def test_a_call_while_the_first_is_under_way_is_told_so(database: Any) -> None:
    from tests.support.agency import make_agency

    from chadan.api.supply import ROUTE
    from chadan.platform.migrate import connect

    agency = make_agency()
    agency.above.import_text("FLIGHT-0001-CARD")
    key, order = key_of(agency), wanted(agency, "A-1")
    lock = f"{agency.shop.merchant.pk}/{ROUTE}/held"
    with connect(database) as first:
        first.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [lock])
        status, told, _headers = call(key, "POST", "/orders", order, "held")
        assert (status, told["code"]) == (409, "idempotency_in_flight")
    assert call(key, "POST", "/orders", order, "held")[0] == 201


def test_many_calls_at_once_with_one_key_buy_once() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import in_threads, one

    agency = make_agency()
    agency.above.import_text(*(f"RACE-{card:04d}-CARD" for card in range(8)))
    key, order = key_of(agency), wanted(agency, "A-1")
    answers = in_threads(lambda _copy: call(key, "POST", "/orders", order, "race")[0], range(8), threads=8)
    assert set(answers) <= {201, 409} and 201 in answers
    assert one("select count(*) from orders where agent_id = %s", agency.shop.merchant.pk) == 1
    assert agency.wallet() == 9100


def test_too_little_in_the_wallet_is_402_and_leaves_nothing_behind() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import one

    agency = make_agency(wallet=899)
    agency.above.import_text("POOR-0001-CARD")
    key, order = key_of(agency), wanted(agency, "A-1")
    status, told, _headers = call(key, "POST", "/orders", order, "k")
    assert (status, told["code"]) == (402, "insufficient_balance") and "Top it up" in told["detail"]
    assert one("select count(*) from orders where agent_id = %s", agency.shop.merchant.pk) == 0
    agency.top_up(1)
    assert call(key, "POST", "/orders", order, "k")[0] == 201


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"quantity": 0}, 400, "quantity"),
        ({"quantity": 101}, 422, "quantity"),
        ({"quantity": 5}, 422, "quantity"),
        ({"product_id": "9999999"}, 404, "product_id"),
        ({"product_id": "x"}, 400, "product_id"),
        ({"your_order_no": ""}, 400, "your_order_no"),
        ({"price": "0.01"}, 400, "price"),
        ({"fields": ["a"]}, 400, "fields"),
        ({"callback_url": "https://agent.example.com/hook"}, 422, "callback_url"),
        ({"callback_url": "http://169.254.169.254/"}, 422, "callback_url"),
    ],
)
def test_a_wrong_order_is_refused_with_its_field(change: dict[str, Any], status: int, field: str) -> None:
    from tests.support.agency import make_agency

    agency = make_agency()
    agency.above.import_text("WRONG-0001-CARD")
    said, told, _headers = call(key_of(agency), "POST", "/orders", wanted(agency, "A-1") | change, "k")
    assert (said, told["errors"][0]["field"]) == (status, field)
    assert agency.wallet() == 10_000


def test_strangers_and_other_scopes_get_nothing() -> None:
    from tests.support.agency import make_agency

    from chadan.catalog.models import Reseller
    from chadan.orders import number

    agency, other = make_agency(), make_agency()
    agency.above.import_text("MINE-0001-CARD")
    key = key_of(agency)
    order_no = call(key, "POST", "/orders", wanted(agency, "A-1"), "k")[1]["order_no"]
    stranger = key_of(other)
    missing = call(stranger, "GET", f"/orders/{number.make(number.now(), 1)}")
    assert call(stranger, "GET", f"/orders/{order_no}")[:2] == missing[:2] and missing[0] == 404
    assert call(stranger, "GET", "/orders", query="your_order_no=A-1")[1] == {"data": []}
    assert call(stranger, "POST", "/orders", wanted(agency, "B-1"), "k")[0] == 404
    reader = key_of(agency, "orders:read")
    for method, path in (
        ("GET", "/products"),
        ("GET", "/balance"),
        ("POST", "/orders"),
        ("GET", f"/orders/{order_no}"),
    ):
        assert call(reader, method, path, {} if method == "POST" else None, "k")[0] == 403
        assert call("cd_live_" + "x" * 43, method, path, {} if method == "POST" else None, "k")[0] == 401
    Reseller.objects.filter(pk=agency.standing.pk).update(active=False)
    assert call(key, "GET", "/products")[1] == {"data": []}
    assert call(key, "POST", "/orders", wanted(agency, "A-2"), "k2")[0] == 404
    assert call(key, "GET", f"/orders/{order_no}")[0] == 200


@contextmanager
def listening() -> Iterator[tuple[str, list[Any], list[int]]]:
    """An agent's system: what it heard, and the statuses it answers next (204 when there are none)."""
    heard: list[Any] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(answers.pop(0) if answers else 204)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", heard, answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_end_of_an_order_is_told_signed_and_again_until_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from tests.support.agency import make_agency
    from tests.support.stock_ground import jobs

    from chadan.delivery import supply_orders, webhook_secrets, webhook_signing
    from chadan.delivery.models import SupplyOrder
    from chadan.platform.config import get_config

    monkeypatch.setenv("CHADAN_SANDBOX", "1")
    get_config.cache_clear()
    agency = make_agency()
    agency.above.import_text("HOOK-0001-CARD")
    secret = webhook_secrets.renew(agency.shop.owner)
    with listening() as (url, heard, answers):
        made = call(key_of(agency), "POST", "/orders", wanted(agency, "A-1", callback_url=url), "k")[1]
        order_no = int(made["order_no"])
        assert jobs("delivery.purchase_done", order_no) == 1
        supply_orders.changed(order_no)
        assert jobs("delivery.tell_agent", order_no) == 1
        answers.append(500)
        supply_orders.tell(order_no, 1)
        assert jobs("delivery.tell_agent", order_no) == 2
        supply_orders.tell(order_no, 2)
        supply_orders.tell(order_no, 3)
        supply_orders.changed(order_no)
    get_config.cache_clear()
    assert len(heard) == 2 and heard[0][0]["webhook-id"] == heard[1][0]["webhook-id"]
    for headers, body in heard:
        assert webhook_signing.verified(secret, headers, body, time.time())
        said = json.loads(body)
        assert (said["type"], said["data"]["cards"]) == ("order.delivered", ["HOOK-0001-CARD"])
    kept = SupplyOrder.objects.using("owner").get(pk=order_no)
    assert (kept.told, kept.attempts, kept.last_error) == ("delivered", 2, "")
    assert jobs("delivery.tell_agent", order_no) == 2


def test_a_callback_never_goes_inside() -> None:
    from tests.support.agency import make_agency

    from chadan.delivery import supply_orders, webhook_secrets
    from chadan.delivery.dispatch import deliver
    from chadan.delivery.models import SupplyOrder

    agency = make_agency()
    agency.above.import_text("SSRF-0001-CARD")
    webhook_secrets.renew(agency.shop.owner)
    made = call(key_of(agency), "POST", "/orders", wanted(agency, "A-1", callback_url="https://127.0.0.1:9/hook"), "k")[
        1
    ]
    order_no = int(made["order_no"])
    deliver(order_no)
    supply_orders.tell(order_no, 1)
    kept = SupplyOrder.objects.using("owner").get(pk=order_no)
    assert kept.told == "" and "127.0.0.1" in kept.last_error
