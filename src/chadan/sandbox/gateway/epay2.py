"""The other side of epay V2."""

from __future__ import annotations

import time
from typing import ClassVar

from chadan.sandbox.gateway.epay import STATUS, EpaySite, payment_of, refusal
from chadan.sandbox.gateway.peer import Twist, World, fen, joined, sign, spoil, stamp, verified, yuan
from chadan.sandbox.keys import PID, public_pem
from chadan.sandbox.payments import Payment, Refused
from chadan.sandbox.wire import Request, Response, as_json, to

OPERATIONS = {"create": "create", "query": "query", "refund": "refund", "refundquery": "refund_query"}
WINDOW = 300


class EpaySite2(EpaySite):
    """/api/pay/{submit,create,query,refund,refundquery}."""

    protocol: ClassVar[str] = "epay2"

    def __init__(self, world: World) -> None:
        self._world = world
        self._acts = {
            "submit": self._create,
            "create": self._create,
            "query": self._query,
            "refund": self._refund,
            "refundquery": self._refund_query,
        }

    def operation(self, request: Request) -> tuple[str, str]:
        """By page."""
        name = request.path.removeprefix("api/pay/")
        return OPERATIONS.get(name, ""), request.fields().get("out_trade_no", "")

    def handle(self, request: Request) -> Response:
        """Answers a call that the shop signed within the last five minutes."""
        page, fields = request.path.removeprefix("api/pay/"), request.fields()
        act = self._acts.get(page)
        if act is None:
            return Response(404)
        message = joined(fields, "sign", "sign_type")
        if fields.get("sign_type") != "RSA" or not verified(
            self._world.keys.epay2_merchant, message, fields.get("sign", "")
        ):
            return refusal(page, "RSA签名校验失败")
        try:
            if fields["pid"] != PID or abs(int(fields["timestamp"]) - time.time()) > WINDOW:
                return refusal(page, "商户ID或时间戳错误")
            return act(page, fields)
        except (KeyError, ValueError):
            return refusal(page, "参数不完整")
        except Refused as error:
            return refusal(page, str(error))

    def _create(self, page: str, fields: dict[str, str]) -> Response:
        payment = self._world.payments.create(payment_of(self.protocol, fields))
        self._world.created(payment)
        if page == "submit":
            return to(self._world.cashier(payment))
        way = {"pay_type": "jump", "pay_info": self._world.cashier(payment)}
        return self._yes(payment.out_no, {"trade_no": payment.txn_no, **way})

    def _query(self, _page: str, fields: dict[str, str]) -> Response:
        payment = self._found(fields)
        return self._yes(
            payment.out_no,
            {
                "trade_no": payment.txn_no,
                "out_trade_no": payment.out_no,
                "type": payment.kind,
                "status": STATUS[payment.state],
                "pid": int(PID),
                "addtime": payment.created_at[:19].replace("T", " "),
                "endtime": payment.paid_at[:19].replace("T", " "),
                "name": payment.subject,
                "money": yuan(payment.amount),
                "refundmoney": yuan(payment.refunded),
            },
        )

    def _refund(self, _page: str, fields: dict[str, str]) -> Response:
        payment, number = self._found(fields), fields["out_refund_no"]
        self._world.payments.refund(payment, number, fen(fields["money"]))
        return self._yes(
            payment.out_no,
            {
                "refund_no": f"R{number}",
                "out_refund_no": number,
                "trade_no": payment.txn_no,
                "money": yuan(payment.refunds[number]),
            },
        )

    def _refund_query(self, _page: str, fields: dict[str, str]) -> Response:
        number = fields["out_refund_no"]
        for payment in self._world.payments.every():
            if payment.protocol == self.protocol and number in payment.refunds:
                return self._yes(
                    payment.out_no,
                    {
                        "refund_no": f"R{number}",
                        "out_refund_no": number,
                        "trade_no": payment.txn_no,
                        "out_trade_no": payment.out_no,
                        "money": yuan(payment.refunds[number]),
                        "status": 1,
                    },
                )
        raise Refused("unknown", "退款记录不存在")

    def _found(self, fields: dict[str, str]) -> Payment:
        payment = self._world.payments.find(self.protocol, fields["out_trade_no"])
        if payment is None:
            raise Refused("unknown", "订单号不存在")
        return payment

    def _yes(self, out_no: str, fields: dict[str, object]) -> Response:
        """A signed answer; refusals are not signed, as at real sites."""
        whole = {"code": 0, **fields, "timestamp": str(int(time.time()))}
        signature = sign(self._world.keys.epay2_gateway, joined({name: str(value) for name, value in whole.items()}))
        if self._world.unsigned(self.protocol, out_no):
            signature = spoil(signature)
        return as_json({**whole, "sign": signature, "sign_type": "RSA"})

    def signed(self, fields: dict[str, str], twist: Twist) -> tuple[str, str]:
        """RSA over the fields and the time."""
        fields["timestamp"] = stamp(twist)
        return sign(self._world.keys.epay2_gateway, joined(fields)), "RSA"

    def channel(self) -> tuple[dict[str, str], dict[str, str]]:
        """With the gateway's public key and the shop's private one."""
        keys = self._world.keys
        settings = {
            "url": f"{self._world.url}/epay2/",
            "pid": PID,
            "type": "alipay",
            "public_key": public_pem(keys.epay2_gateway),
        }
        return settings, {"private_key": keys.epay2_merchant}
