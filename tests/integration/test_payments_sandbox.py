"""The whole way of money with every real protocol: the sandbox's gateway calls our own pages over loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
PROTOCOLS = ("epay1", "epay2", "alipay", "wechat")


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@contextmanager
def site() -> Iterator[str]:
    """Our pages on loopback."""
    from django.core.wsgi import get_wsgi_application
    from django.db import connections

    pages = get_wsgi_application()

    def application(environ, answer):
        try:
            with closing(pages(environ, answer)) as response:
                return [b"".join(response)]
        finally:
            connections.close_all()

    server = make_server("127.0.0.1", 0, application, Threaded, Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def sandbox(database, tmp_path_factory):
    from chadan.platform.config import get_config
    from chadan.sandbox.client import Sandbox
    from chadan.sandbox.server import SandboxServer

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHADAN_SANDBOX", "1")
        get_config.cache_clear()
        with SandboxServer(tmp_path_factory.mktemp("sandbox"), schedule=(0.0, 0.05)) as server:
            yield Sandbox(server.url)
    get_config.cache_clear()


@pytest.fixture(scope="module")
def till(sandbox):
    from tests.support.paying import open_till, wanted
    from tests.support.people import acting

    from chadan.orders.states import PaymentMethod
    from chadan.payments import channels

    till = open_till()
    owner = acting(till.shop.staff["owner"])
    for protocol in PROTOCOLS:
        settings, secrets = sandbox.channel(protocol)
        method = PaymentMethod.WECHAT if protocol == "wechat" else PaymentMethod.ALIPAY
        one = channels.create(owner, protocol, wanted(protocol, method=method, settings=settings, secrets=secrets))
        till.channels[protocol] = channels.enable(owner, one.pk)
    with site() as address:
        yield replace(till, site=address)


@pytest.fixture(autouse=True)
def honest(sandbox):
    """A gateway that lied in one test is honest again in the next."""
    yield
    sandbox.clear()


def start(till, sandbox, protocol):
    """A payment that waits at the gateway's cashier: (order, our number)."""
    order_no = till.order()
    out_no = till.start(order_no, protocol)
    sandbox.visit(till.attempts(order_no)[-1].pay_url)
    return order_no, out_no


def verdicts(till, order_no, protocol):
    from chadan.payments.models import PaymentCallback

    kept = PaymentCallback.objects.using("owner").filter(channel_id=till.channels[protocol].pk).order_by("pk")
    return {one.verdict for one in kept if one.order_no in (order_no, None)}


def paid(till, order_no):
    return till.state(order_no)[0] == "paid"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_payment_is_told_believed_and_goes_back(till, sandbox, protocol):
    from tests.support.paying import PRICE

    from chadan.payments import refunding

    order_no, out_no = start(till, sandbox, protocol)
    sandbox.fault("duplicate", 3, out_no=out_no, protocol=protocol)
    sandbox.pay(out_no, protocol)
    eventually(lambda: paid(till, order_no), "the payment", 20)
    assert till.state(order_no) == ("paid", PRICE, 0)
    till.ask_refund(order_no, PRICE, "顾客退货")
    for _ in range(2):
        refunding.run(order_no, 1)
    assert till.state(order_no) == ("refunded", PRICE, PRICE)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_dropped_callback_is_found_by_asking(till, sandbox, protocol):
    from chadan.payments.tasks import heal

    order_no, out_no = start(till, sandbox, protocol)
    sandbox.fault("drop", out_no=out_no, protocol=protocol)
    sandbox.pay(out_no, protocol)
    assert not paid(till, order_no)
    heal(order_no, 1)
    assert paid(till, order_no)


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        *((protocol, kind) for protocol in PROTOCOLS for kind in ("forge", "misprice", "wrong_seller")),
        *((protocol, "unpaid") for protocol in ("epay1", "epay2")),  # the others' signature is proof by itself
    ],
)
def test_a_lying_callback_moves_nothing(till, sandbox, protocol, kind):
    order_no, out_no = start(till, sandbox, protocol)
    sandbox.fault(kind, 1, out_no=out_no, protocol=protocol)
    sandbox.pay(out_no, protocol)
    eventually(lambda: sandbox.payment(out_no, protocol)["told"], "an answered callback", 20)
    assert till.state(order_no) == ("pending_payment", 0, 0)
    refused = {"forge": "bad_signature", "misprice": "wrong_amount", "wrong_seller": "bad_signature", "unpaid": "held"}
    assert refused[kind] in verdicts(till, order_no, protocol)
