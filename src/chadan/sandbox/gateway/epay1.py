"""The other side of epay V1."""

from __future__ import annotations

import hashlib
import hmac
from typing import ClassVar
from urllib.parse import urlencode

from chadan.sandbox.gateway.peer import Twist, World, fen, joined, spoil, yuan
from chadan.sandbox.keys import PID
from chadan.sandbox.payments import Payment, Refused
from chadan.sandbox.wire import Outgoing, Request, Response, as_json, to

STATUS = {"unpaid": 0, "closed": 0, "paid": 1, "refunded": 2}
PAGES = {"submit.php": "", "mapi.php": "create"}


class EpaySite1:
    """submit.php, mapi.php, api.php?act=order|refund."""

    protocol: ClassVar[str] = "epay1"

    def __init__(self, world: World) -> None:
        self._world = world
        self._key = world.keys.epay1_key

    def operation(self, request: Request) -> tuple[str, str]:
        """By page and act."""
        fields = request.fields()
        acts = {"order": "query", "refund": "refund"}
        name = PAGES.get(request.path, acts.get(fields.get("act", ""), ""))
        return name, fields.get("out_trade_no", "")

    def handle(self, request: Request) -> Response:
        """Answers one page."""
        fields = request.fields()
        if request.path in PAGES:
            return self._create(request.path, fields)
        if request.path == "api.php" and hmac.compare_digest(fields.get("key", ""), self._key):
            acts = {"order": self._order, "refund": self._refund}
            if fields.get("pid") == PID and (act := acts.get(fields.get("act", ""))):
                return act(fields)
        return as_json({"code": -3, "msg": "商户密钥错误"})

    def _create(self, page: str, fields: dict[str, str]) -> Response:
        if fields.get("pid") != PID or not hmac.compare_digest(self._sign(fields), fields.get("sign", "")):
            return refusal(page, "签名校验失败")
        try:
            payment = self._world.payments.create(payment_of(self.protocol, fields))
        except (KeyError, ValueError):
            return refusal(page, "参数不完整")
        except Refused:
            return refusal(page, "商户订单号重复")
        self._world.created(payment)
        if page == "submit.php":
            return to(self._world.cashier(payment))
        return as_json({"code": 1, "msg": "", "trade_no": payment.txn_no, "payurl": self._world.cashier(payment)})

    def _order(self, fields: dict[str, str]) -> Response:
        payment = self._world.payments.find(self.protocol, fields.get("out_trade_no", ""))
        if payment is None:
            return as_json({"code": -1, "msg": "订单号不存在"})
        return as_json(
            {
                "code": 1,
                "msg": "succ",
                "trade_no": payment.txn_no,
                "out_trade_no": payment.out_no,
                "type": payment.kind,
                "pid": int(PID),
                "addtime": payment.created_at[:19].replace("T", " "),
                "endtime": payment.paid_at[:19].replace("T", " ") or None,
                "name": payment.subject,
                "money": yuan(payment.amount),
                "status": STATUS[payment.state],
            }
        )

    def _refund(self, fields: dict[str, str]) -> Response:
        payment = self._world.payments.find(self.protocol, fields.get("out_trade_no", ""))
        if payment is None:
            return as_json({"code": -1, "msg": "订单号不存在"})
        try:
            number = f"R{payment.txn_no}{len(payment.refunds)}"
            self._world.payments.refund(payment, number, fen(fields.get("money", "")))
        except (Refused, ValueError):
            return as_json({"code": -1, "msg": "订单状态不允许退款"})
        return as_json({"code": 1, "msg": "退款成功", "refund_no": number})

    def callback(self, payment: Payment, twist: Twist) -> Outgoing:
        """A GET with everything in the query."""
        return Outgoing("GET", self._told(payment.notify_url, payment, twist))

    def back(self, payment: Payment) -> str:
        """return_url with the same fields."""
        return self._told(payment.return_url, payment, Twist()) if payment.return_url else ""

    def _told(self, url: str, payment: Payment, twist: Twist) -> str:
        fields = {
            "pid": twist.payee or PID,
            "trade_no": payment.txn_no,
            "out_trade_no": payment.out_no,
            "type": payment.kind,
            "name": payment.subject,
            "money": yuan(payment.amount if twist.amount is None else twist.amount),
            "trade_status": "TRADE_SUCCESS" if payment.paid_at or twist.paid else "TRADE_CLOSED",
        }
        signature = self._sign(fields)
        fields |= {"sign": spoil(signature) if twist.forged else signature, "sign_type": "MD5"}
        return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"

    def _sign(self, fields: dict[str, str]) -> str:
        message = joined(fields, "sign", "sign_type") + self._key
        return hashlib.md5(message.encode(), usedforsecurity=False).hexdigest()

    def taken(self, status: int, answer: bytes) -> bool:
        """Exactly `success`."""
        return status == 200 and answer.strip() == b"success"

    def channel(self) -> tuple[dict[str, str], dict[str, str]]:
        """Refunds are offered here."""
        settings = {"url": f"{self._world.url}/epay1/", "pid": PID, "type": "alipay", "refunds": "1"}
        return settings, {"key": self._key}


def payment_of(protocol: str, fields: dict[str, str]) -> Payment:
    """A payment as epay's fields describe it, V1 or V2. Raises KeyError or ValueError."""
    return Payment(
        protocol,
        fields["out_trade_no"],
        fen(fields["money"]),
        fields["name"],
        fields["notify_url"],
        fields.get("return_url", ""),
        fields["type"],
    )


def refusal(page: str, words: str) -> Response:
    """No, to a program as JSON and to a browser as a page."""
    if page.startswith("submit"):
        return Response(400, words.encode())
    return as_json({"code": -1, "msg": words})
