"""The sandbox's HTTP server: one port on loopback, its parts by the first word of the path.

/epay1/ /epay2/ /alipay/ /wechat/   the gateways        /cashier/    the buyer's page
/supplier/…                         suppliers           /_control/   what tests tell it to do
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from chadan.sandbox.cashier import Cashier
from chadan.sandbox.control import Control
from chadan.sandbox.faults import FaultKind, Faults
from chadan.sandbox.gateway.peer import Peer, World
from chadan.sandbox.gateway.registry import peers_of
from chadan.sandbox.keys import keys_in
from chadan.sandbox.notifying import SCHEDULE, Notifier
from chadan.sandbox.payments import Payment, Payments
from chadan.sandbox.supplier.control import Desk
from chadan.sandbox.wire import Handler, Request, Response

MOST_BODY = 1 << 20
LOOPBACK = {"127.0.0.1", "localhost"}


class SandboxServer:
    """A running sandbox: gateways, suppliers, control. `port` 0 takes a free one. Raises OSError: port or folder are taken."""

    def __init__(self, folder: Path, port: int = 0, schedule: Sequence[float] = SCHEDULE) -> None:
        keys = keys_in(folder)
        self.faults = Faults()
        self._http = _Server(("127.0.0.1", port), _Handler)
        try:
            self.payments = Payments(folder / "payments.jsonl")
        except OSError:
            self._http.server_close()
            raise
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        world = World(self.url, keys, self.payments, self.faults, self._created)
        self._peers = peers_of(world)
        self._notifier = Notifier(self._peers, self.payments, self.faults, schedule)
        self.desk = Desk(folder, f"{self.url}/supplier")
        self._http.routes = {
            "cashier": Cashier(world, self._peers, self.paid).handle,
            "_control": Control(world, self._peers, self._notifier, self.paid).handle,
            **{name: self._gateway(peer) for name, peer in self._peers.items()},
            "supplier": self.desk.handle,
        }
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._notifier.stop()
        self._http.server_close()
        self.desk.shut()
        self.payments.shut()

    @property
    def parts(self) -> list[str]:
        """The first words of the paths of gateways and suppliers."""
        return sorted(set(self._http.routes) - {"cashier", "_control"})

    def paid(self, payment: Payment) -> None:
        """The buyer pays: the payment counts, and its callback goes out. A fault may let the callback lie."""
        if self.faults.hit(FaultKind.UNPAID, payment.protocol, payment.out_no):
            self._notifier.tell(payment, paid=True)
        elif self.payments.pay(payment):
            self._notifier.tell(payment)

    def _created(self, payment: Payment) -> None:
        if self.faults.hit(FaultKind.EARLY, payment.protocol, payment.out_no) and self.payments.pay(payment):
            self._notifier.tell_now(payment)

    def _gateway(self, peer: Peer) -> Handler:
        """The gateway's calls, with the faults that strike at calls."""

        def handle(request: Request) -> Response:
            operation, out_no = peer.operation(request)
            if operation:
                if late := self.faults.hit(FaultKind.TIMEOUT, peer.protocol, out_no, operation):
                    time.sleep(late.value)
                    return Response(hang_up=True)
                if self.faults.hit(FaultKind.ERROR, peer.protocol, out_no, operation):
                    return Response(500, b"sandbox: told to fail")
            answer = peer.handle(request)
            if operation and self.faults.hit(FaultKind.LOST, peer.protocol, out_no, operation):
                return Response(hang_up=True)
            return answer

        return handle


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    routes: Mapping[str, Handler]
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def setup(self) -> None:
        """Answers are short: they leave at once."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: addresses carry keys."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MOST_BODY:
            self.close_connection = True
            self._send(Response(413))
            return
        body = self.rfile.read(int(length))
        parts = urlsplit(self.path)
        first, _, rest = parts.path.removeprefix("/").partition("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        handler = self.server.routes.get(first)
        if urlsplit(f"//{headers.get('host', '')}").hostname not in LOOPBACK:
            answer = Response(421, b"sandbox: this machine only")
        elif handler is None:
            answer = Response(404, b"sandbox: nothing here")
        else:
            try:
                answer = handler(Request(self.command, rest, parts.query, body, headers, self.path))
            except Exception as error:  # noqa: BLE001 - whatever is sent, something is answered
                answer = Response(500, f"sandbox: {type(error).__name__}".encode())
        self._send(answer)

    def _send(self, answer: Response) -> None:
        if answer.hang_up:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        with suppress(ConnectionError):  # the shop may have given up
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the base class's names
