"""The page the buyer lands on: pay or cancel, as if with a phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from string import Template

from chadan.sandbox.gateway.peer import Peer, World, yuan
from chadan.sandbox.payments import Payment
from chadan.sandbox.wire import Request, Response, to

PAGES = Path(__file__).parent / "pages"
NAMES = {"epay1": "易支付 V1", "epay2": "易支付 V2", "alipay": "支付宝", "wechat": "微信支付"}
STATES = {"unpaid": "待付款", "paid": "已付款", "closed": "已取消", "refunded": "已退款"}
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"


class Cashier:
    """/cashier/ID shows a payment, /cashier/ID/pay and /cashier/ID/cancel settle it."""

    def __init__(self, world: World, peers: Mapping[str, Peer], paid: Callable[[Payment], None]) -> None:
        self._world = world
        self._peers = peers
        self._paid = paid

    def handle(self, request: Request) -> Response:
        """Answers the buyer's browser."""
        if request.path == "cashier.css":
            return Response(200, (PAGES / "cashier.css").read_bytes(), "text/css; charset=utf-8")
        payment_id, _, act = request.path.partition("/")
        payment = self._world.payments.by_id(payment_id)
        if payment is None:
            return Response(404, "没有这笔付款".encode())
        if request.method == "POST" and act == "pay":
            self._paid(payment)
        elif request.method == "POST" and act == "cancel":
            self._world.payments.close(payment)
        elif request.method != "GET" or act:
            return Response(404)
        else:
            self._come_from(payment, request)
            return self._page(payment)
        return to(self._peers[payment.protocol].back(payment) or f"/cashier/{payment.id}")

    def _come_from(self, payment: Payment, request: Request) -> None:
        """Keeps where an H5 payment returns to: its address says so, the payment's creation did not."""
        back = request.fields().get("redirect_url", "")
        if back.startswith(("http://", "https://")) and not payment.return_url:
            with self._world.payments.change(payment):
                payment.return_url = back

    def _page(self, payment: Payment) -> Response:
        """The page; its buttons stand only while there is something to pay."""
        buttons = Template((PAGES / "buttons.html").read_text()).substitute(id=payment.id)
        page = Template((PAGES / "cashier.html").read_text()).substitute(
            gateway=escape(NAMES.get(payment.protocol, payment.protocol)),
            amount=yuan(payment.amount),
            subject=escape(payment.subject),
            out_no=escape(payment.out_no),
            txn_no=escape(payment.txn_no),
            state=STATES[payment.state],
            buttons=buttons if payment.state == "unpaid" else "",
        )
        return Response(200, page.encode(), "text/html; charset=utf-8", {"Content-Security-Policy": POLICY})
