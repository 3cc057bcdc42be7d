"""The other side of Alipay's open platform."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlencode

from chadan.sandbox.gateway.peer import Twist, World, fen, joined, sign, spoil, verified, yuan
from chadan.sandbox.keys import ALIPAY_APP, ALIPAY_SELLER, public_pem
from chadan.sandbox.payments import Payment, Refused, now
from chadan.sandbox.wire import Outgoing, Request, Response, to

OPERATIONS = {
    "alipay.trade.precreate": "create",
    "alipay.trade.query": "query",
    "alipay.trade.refund": "refund",
    "alipay.trade.fastpay.refund.query": "refund_query",
}
PAGES = {"alipay.trade.page.pay": "FAST_INSTANT_TRADE_PAY", "alipay.trade.wap.pay": "QUICK_WAP_WAY"}
STATUS = {
    "unpaid": "WAIT_BUYER_PAY",
    "paid": "TRADE_SUCCESS",
    "closed": "TRADE_CLOSED",
    "refunded": "TRADE_CLOSED",
}
SUB_CODES = {
    "duplicate": "ACQ.CONTEXT_INCONSISTENT",
    "not_paid": "ACQ.TRADE_STATUS_ERROR",
    "too_much": "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "unknown": "ACQ.TRADE_NOT_EXIST",
}
Fields = dict[str, Any]


class AlipayPlatform:
    """gateway.do."""

    protocol: ClassVar[str] = "alipay"

    def __init__(self, world: World) -> None:
        self._world = world
        self._acts: dict[str, Callable[[Fields], Fields]] = {
            "alipay.trade.precreate": self._precreate,
            "alipay.trade.query": self._query,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._refund_query,
        }

    def operation(self, request: Request) -> tuple[str, str]:
        """By method and biz_content."""
        fields = request.fields()
        try:
            out_no = str(json.loads(fields.get("biz_content", "{}")).get("out_trade_no", ""))
        except ValueError:
            out_no = ""
        return OPERATIONS.get(fields.get("method", ""), ""), out_no

    def handle(self, request: Request) -> Response:
        """Answers a call the shop signed."""
        fields = request.fields()
        method = fields.get("method", "")
        right = fields.get("app_id") == ALIPAY_APP and fields.get("sign_type") == "RSA2"
        if not right or not verified(self._world.keys.alipay_merchant, joined(fields, "sign"), fields.get("sign", "")):
            return self._no(method, "40002", "isv.invalid-signature", "验签出错")
        try:
            order = json.loads(fields["biz_content"])
            if method in PAGES:
                return self._page(method, order, fields)
            if act := self._acts.get(method):
                order["notify_url"] = fields.get("notify_url", "")
                return self._answer(method, {"code": "10000", "msg": "Success", **act(order)})
        except (KeyError, ValueError):
            return self._no(method, "40002", "isv.invalid-parameter", "参数无效")
        except Refused as error:
            if method in PAGES:
                return Response(400, str(error).encode())
            return self._no(method, "40004", SUB_CODES[error.code], str(error))
        return self._no(method, "40002", "isv.invalid-method", "不存在的方法名")

    def _page(self, method: str, order: Fields, fields: dict[str, str]) -> Response:
        if order.get("product_code") != PAGES[method]:
            raise ValueError("product_code")
        back = fields.get("return_url", "")
        return to(self._world.cashier(self._created(order, PAGES[method], fields.get("notify_url", ""), back)))

    def _created(self, order: Fields, kind: str, notify_url: str, return_url: str) -> Payment:
        new = Payment(
            self.protocol,
            order["out_trade_no"],
            fen(order["total_amount"]),
            order["subject"],
            notify_url,
            return_url,
            kind,
        )
        payment = self._world.payments.create(new)
        self._world.created(payment)
        return payment

    def _precreate(self, order: Fields) -> Fields:
        payment = self._created(order, "FACE_TO_FACE_PAYMENT", order["notify_url"], "")
        return {"out_trade_no": payment.out_no, "qr_code": self._world.cashier(payment)}

    def _query(self, order: Fields) -> Fields:
        payment = self._found(order)
        paid = {"send_pay_date": payment.paid_at[:19].replace("T", " ")} if payment.paid_at else {}
        return {
            "buyer_logon_id": "san***@sandbox.example",
            "out_trade_no": payment.out_no,
            "total_amount": yuan(payment.amount),
            "trade_no": payment.txn_no,
            "trade_status": STATUS[payment.state],
            **paid,
        }

    def _refund(self, order: Fields) -> Fields:
        payment = self._found(order)
        moved = self._world.payments.refund(payment, order["out_request_no"], fen(order["refund_amount"]))
        return {
            "fund_change": "Y" if moved else "N",
            "out_trade_no": payment.out_no,
            "refund_fee": yuan(payment.refunded),
            "trade_no": payment.txn_no,
        }

    def _refund_query(self, order: Fields) -> Fields:
        payment = self._found(order)
        number = order["out_request_no"]
        if number not in payment.refunds:
            return {}
        return {
            "out_request_no": number,
            "out_trade_no": payment.out_no,
            "refund_amount": yuan(payment.refunds[number]),
            "refund_status": "REFUND_SUCCESS",
            "total_amount": yuan(payment.amount),
            "trade_no": payment.txn_no,
        }

    def _found(self, order: Fields) -> Payment:
        payment = self._world.payments.find(self.protocol, order["out_trade_no"])
        if payment is None:
            raise Refused("unknown", "交易不存在")
        return payment

    def _no(self, method: str, code: str, sub_code: str, words: str) -> Response:
        return self._answer(method, {"code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": words})

    def _answer(self, method: str, fields: Fields) -> Response:
        """Signed over the member's text, slashes escaped as PHP and Java do: who parses first cannot verify."""
        raw = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
        signature = sign(self._world.keys.alipay_gateway, raw)
        if self._world.unsigned(self.protocol, str(fields.get("out_trade_no", ""))):
            signature = spoil(signature)
        name = method.replace(".", "_") + "_response" if method else "error_response"
        body = f'{{"{name}":{raw},"sign":{json.dumps(signature)}}}'
        return Response(200, body.encode(), "application/json; charset=utf-8")

    def callback(self, payment: Payment, twist: Twist) -> Outgoing:
        """A POST form."""
        status = "TRADE_SUCCESS" if twist.paid else STATUS[payment.state]
        fields = {
            "app_id": ALIPAY_APP,
            "auth_app_id": ALIPAY_APP,
            "charset": "utf-8",
            "gmt_create": payment.created_at[:19].replace("T", " "),
            "gmt_payment": payment.paid_at[:19].replace("T", " "),
            "notify_id": f"{payment.id}{len(payment.told)}",
            "notify_time": f"{now():%Y-%m-%d %H:%M:%S}",
            "notify_type": "trade_status_sync",
            "out_trade_no": payment.out_no,
            "seller_id": twist.payee or ALIPAY_SELLER,
            "sign_type": "RSA2",
            "subject": payment.subject,
            "total_amount": yuan(payment.amount if twist.amount is None else twist.amount),
            "trade_no": payment.txn_no,
            "trade_status": status,
            "version": "1.0",
            **({"refund_fee": yuan(payment.refunded)} if payment.refunds else {}),
        }
        fields = {name: value for name, value in fields.items() if value}
        signature = sign(self._world.keys.alipay_gateway, joined(fields, "sign_type"))
        fields["sign"] = spoil(signature) if twist.forged else signature
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return Outgoing("POST", payment.notify_url, urlencode(fields).encode(), headers)

    def back(self, payment: Payment) -> str:
        """return_url as it is: nothing in it is to be believed."""
        return payment.return_url

    def taken(self, status: int, answer: bytes) -> bool:
        """Exactly `success`."""
        return status == 200 and answer == b"success"

    def channel(self) -> tuple[dict[str, str], dict[str, str]]:
        """With Alipay's public key and the application's private one."""
        keys = self._world.keys
        settings = {
            "url": f"{self._world.url}/alipay/gateway.do",
            "app_id": ALIPAY_APP,
            "seller_id": ALIPAY_SELLER,
            "public_key": public_pem(keys.alipay_gateway),
        }
        return settings, {"private_key": keys.alipay_merchant}
