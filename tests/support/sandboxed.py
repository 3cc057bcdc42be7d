"""A sandbox, a channel that uses it, and a small shop that takes its callbacks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.support.waiting import eventually

from chadan.orders.states import PaymentMethod
from chadan.payments.gateways.base import (
    ChannelConfig,
    ForgedCallback,
    Gateway,
    PayRequest,
    PayStart,
    RawCallback,
    RefundRequest,
    Told,
)
from chadan.payments.gateways.registry import gateway_of
from chadan.sandbox.client import Sandbox

METHODS = {"wechat": PaymentMethod.WECHAT}


@dataclass
class Shop:
    """What arrived: tellings that were believed, errors, and how to answer."""

    gateway: Gateway
    url: str = ""
    told: list[Told] = field(default_factory=list)
    forged: list[ForgedCallback] = field(default_factory=list)
    takes: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, callback: RawCallback) -> tuple[int, str, bytes]:
        """Judges one callback as the payments room does."""
        with self.lock:
            try:
                self.told.append(self.gateway.read_callback(callback))
            except ForgedCallback as error:
                self.forged.append(error)
                answer = self.gateway.answer(taken=False)
            else:
                answer = self.gateway.answer(taken=self.takes)
        return answer.status, answer.content_type, answer.body

    def first(self) -> Told:
        """The first believed telling, waited for."""
        return eventually(lambda: self.told[:1], "a callback", 20)[0]


@contextmanager
def shop_of(gateway: Gateway) -> Iterator[Shop]:
    """A running shop on loopback."""
    shop = Shop(gateway)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            callback = RawCallback(self.command, urlsplit(self.path).query, body, headers, datetime.now(UTC))
            status, kind, answer = shop.hear(callback)
            self.send_response(status)
            if answer:
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = serve  # noqa: N815 - the base class's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def channel_of(sandbox: Sandbox, protocol: str, **changes: str) -> ChannelConfig:
    """A channel at the sandbox; `changes` replace settings or secrets by name."""
    settings, secrets = sandbox.channel(protocol)
    for name, value in changes.items():
        (secrets if name in secrets else settings)[name] = value
    return ChannelConfig(7, METHODS.get(protocol, PaymentMethod.ALIPAY), settings, secrets)


def gateway_at(sandbox: Sandbox, protocol: str, **changes: str) -> Gateway:
    """The protocol with such a channel."""
    return gateway_of(protocol)(channel_of(sandbox, protocol, **changes))


def request_for(shop: Shop, out_no: str, amount: int = 1234, device: str = "pc") -> PayRequest:
    """A payment whose callback goes to the shop."""
    return PayRequest(
        out_no,
        amount,
        "腾讯视频VIP 月卡 & <100%>",
        f"{shop.url}/notify",
        f"{shop.url}/return",
        "127.0.0.1",
        device,
        datetime.now(UTC) + timedelta(minutes=15),
    )


def start(sandbox: Sandbox, shop: Shop, out_no: str, amount: int = 1234) -> PayStart:
    """Starts a payment and, where the buyer must open a page first, opens it."""
    started = shop.gateway.create(request_for(shop, out_no, amount))
    sandbox.visit(started.url)
    return started


def refund_for(told: Told, amount: int, number: str = "RF1") -> RefundRequest:
    """A refund of a told payment."""
    assert told.amount is not None
    return RefundRequest(told.out_no, told.txn_no, number, amount, told.amount, "顾客退货")
