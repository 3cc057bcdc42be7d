"""The other side of epay V1."""

from __future__ import annotations

import hashlib
import hmac
from typing import ClassVar

from chadan.sandbox.gateway.epay import STATUS, EpaySite, payment_of, refusal
from chadan.sandbox.gateway.peer import Twist, World, fen, joined, yuan
from chadan.sandbox.keys import PID
from chadan.sandbox.payments import Refused
from chadan.sandbox.wire import Request, Response, as_json, to

PAGES = {"submit.php": "", "mapi.php": "create"}


class EpaySite1(EpaySite):
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

    def signed(self, fields: dict[str, str], twist: Twist) -> tuple[str, str]:
        """MD5 with the key."""
        del twist  # this version names no time
        return self._sign(fields), "MD5"

    def _sign(self, fields: dict[str, str]) -> str:
        message = joined(fields, "sign", "sign_type") + self._key
        return hashlib.md5(message.encode(), usedforsecurity=False).hexdigest()

    def channel(self) -> tuple[dict[str, str], dict[str, str]]:
        """Refunds are offered here."""
        settings = {"url": f"{self._world.url}/epay1/", "pid": PID, "type": "alipay", "refunds": "1"}
        return settings, {"key": self._key}
