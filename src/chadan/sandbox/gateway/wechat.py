"""The other side of WeChat Pay's API v3."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from typing import Any, ClassVar
from urllib.parse import unquote

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chadan.sandbox.gateway.peer import Twist, World, sign, spoil, stamp, verified
from chadan.sandbox.keys import WECHAT_APPID, WECHAT_KEY_ID, WECHAT_MCHID, WECHAT_SERIAL, public_pem
from chadan.sandbox.payments import Payment, Refused, now
from chadan.sandbox.wire import Outgoing, Request, Response

PAYMENT = "v3/pay/transactions/out-trade-no/"
REFUND = "v3/refund/domestic/refunds"
CREATE = {"v3/pay/transactions/native": "NATIVE", "v3/pay/transactions/h5": "MWEB"}
STATES = {"unpaid": "NOTPAY", "paid": "SUCCESS", "closed": "CLOSED", "refunded": "REFUND"}
CODES = {
    "duplicate": (403, "OUT_TRADE_NO_USED"),
    "not_paid": (400, "INVALID_REQUEST"),
    "too_much": (400, "INVALID_REQUEST"),
    "unknown": (404, "RESOURCE_NOT_EXISTS"),
}
WINDOW = 300
Fields = dict[str, Any]


class WeChatPay:
    """/v3/pay/transactions/… and /v3/refund/domestic/refunds. A payment of which a part was refunded is in state REFUND, as at WeChat."""

    protocol: ClassVar[str] = "wechat"

    def __init__(self, world: World) -> None:
        self._world = world

    def operation(self, request: Request) -> tuple[str, str]:
        """By method and path."""
        if request.path in CREATE or (request.path == REFUND and request.method == "POST"):
            try:
                out_no = str(request.json().get("out_trade_no", ""))
            except (ValueError, TypeError):
                out_no = ""
            return ("create" if request.path in CREATE else "refund"), out_no
        if request.path.startswith(PAYMENT):
            return "query", unquote(request.path.removeprefix(PAYMENT))
        return ("refund_query" if request.path.startswith(REFUND) else ""), ""

    def handle(self, request: Request) -> Response:
        """Answers a call whose Authorization is right and at most five minutes old."""
        if not self._authorized(request):
            return self._answer({"code": "SIGN_ERROR", "message": "签名错误"}, 401)
        try:
            if request.method == "POST" and request.path in CREATE:
                return self._create(request.path, request.json())
            if request.method == "POST" and request.path == REFUND:
                return self._refund(request.json())
            if request.method == "GET" and request.path.startswith(PAYMENT):
                return self._query(unquote(request.path.removeprefix(PAYMENT)))
            if request.method == "GET" and request.path.startswith(f"{REFUND}/"):
                return self._refund_query(unquote(request.path.removeprefix(f"{REFUND}/")))
        except Refused as error:
            status, code = CODES[error.code]
            return self._answer({"code": code, "message": str(error)}, status)
        except (KeyError, ValueError, TypeError):
            return self._answer({"code": "PARAM_ERROR", "message": "参数错误"}, 400)
        return self._answer({"code": "NOT_FOUND", "message": "没有这个接口"}, 404)

    def _authorized(self, request: Request) -> bool:
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if scheme != "WECHATPAY2-SHA256-RSA2048" or said.get("mchid") != WECHAT_MCHID:
            return False
        if said.get("serial_no") != WECHAT_SERIAL or not said.get("timestamp", "").isdigit():
            return False
        if abs(int(said["timestamp"]) - time.time()) > WINDOW:
            return False
        signature = said.get("signature", "")
        return any(
            verified(self._world.keys.wechat_merchant, self._message(request, target, said), signature)
            for target in (
                request.target,
                request.target.removeprefix("/wechat"),
            )  # as called, or as the real host has it
        )

    @staticmethod
    def _message(request: Request, target: str, said: dict[str, str]) -> str:
        return f"{request.method}\n{target}\n{said['timestamp']}\n{said.get('nonce_str')}\n{request.body.decode()}\n"

    def _create(self, path: str, order: Fields) -> Response:
        if order["mchid"] != WECHAT_MCHID or order["appid"] != WECHAT_APPID:
            return self._answer({"code": "APPID_MCHID_NOT_MATCH", "message": "appid与mchid不匹配"}, 400)
        amount = order["amount"]["total"]
        if not isinstance(amount, int) or amount <= 0:
            raise ValueError("amount")
        new = Payment(
            self.protocol, order["out_trade_no"], amount, order["description"], order["notify_url"], "", CREATE[path]
        )
        payment = self._world.payments.create(new)
        self._world.created(payment)
        name = "h5_url" if path.endswith("/h5") else "code_url"
        return self._answer({name: self._world.cashier(payment)}, 200, payment.out_no)

    def _query(self, out_no: str) -> Response:
        payment = self._world.payments.find(self.protocol, out_no)
        if payment is None:
            return self._answer({"code": "ORDER_NOT_EXIST", "message": "订单不存在"}, 404)
        return self._answer(self._transaction(payment, Twist()), 200, out_no)

    def _transaction(self, payment: Payment, twist: Twist) -> Fields:
        state = "SUCCESS" if twist.paid else "REFUND" if payment.refunds else STATES[payment.state]
        paid = {}
        if payment.paid_at or twist.paid:
            at = payment.paid_at or now().isoformat(timespec="seconds")
            paid = {"transaction_id": payment.txn_no, "success_time": at, "payer": {"openid": "oSandboxBuyer"}}
        return {
            "appid": WECHAT_APPID,
            "mchid": twist.payee or WECHAT_MCHID,
            "out_trade_no": payment.out_no,
            "trade_type": payment.kind,
            "trade_state": state,
            "trade_state_desc": state,
            "amount": {"total": payment.amount if twist.amount is None else twist.amount, "currency": "CNY"},
            **paid,
        }

    def _refund(self, order: Fields) -> Response:
        payment = self._world.payments.find(self.protocol, order["out_trade_no"])
        if payment is None:
            raise Refused("unknown", "订单不存在")
        if order["amount"]["total"] != payment.amount:
            raise Refused("too_much", "订单金额不一致")
        self._world.payments.refund(payment, order["out_refund_no"], order["amount"]["refund"])
        return self._answer(self._refund_of(payment, order["out_refund_no"]), 200, payment.out_no)

    def _refund_query(self, number: str) -> Response:
        for payment in self._world.payments.every():
            if payment.protocol == self.protocol and number in payment.refunds:
                return self._answer(self._refund_of(payment, number), 200, payment.out_no)
        raise Refused("unknown", "退款单不存在")

    @staticmethod
    def _refund_of(payment: Payment, number: str) -> Fields:
        return {
            "refund_id": f"5{payment.txn_no}",
            "out_refund_no": number,
            "transaction_id": payment.txn_no,
            "out_trade_no": payment.out_no,
            "status": "SUCCESS",
            "amount": {"total": payment.amount, "refund": payment.refunds[number], "currency": "CNY"},
        }

    def _answer(self, said: Fields, status: int, out_no: str = "") -> Response:
        body = json.dumps(said, ensure_ascii=False)
        headers = self._signature(body, str(int(time.time())), spoilt=self._world.unsigned(self.protocol, out_no))
        return Response(status, body.encode(), "application/json; charset=utf-8", headers)

    def _signature(self, body: str, at: str, *, spoilt: bool) -> dict[str, str]:
        nonce = secrets.token_hex(16)
        signature = sign(self._world.keys.wechat_gateway, f"{at}\n{nonce}\n{body}\n")
        return {
            "Wechatpay-Serial": WECHAT_KEY_ID,
            "Wechatpay-Signature": spoil(signature) if spoilt else signature,
            "Wechatpay-Timestamp": at,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }

    def callback(self, payment: Payment, twist: Twist) -> Outgoing:
        """A POST of JSON whose resource is sealed under the API v3 key."""
        nonce, bound = secrets.token_hex(6), "transaction"
        text = json.dumps(self._transaction(payment, twist), ensure_ascii=False).encode()
        sealed = AESGCM(self._world.keys.wechat_apiv3.encode()).encrypt(nonce.encode(), text, bound.encode())
        body = json.dumps(
            {
                "id": f"{payment.id}-{len(payment.told)}",
                "create_time": now().isoformat(timespec="seconds"),
                "event_type": "TRANSACTION.SUCCESS",
                "resource_type": "encrypt-resource",
                "resource": {
                    "algorithm": "AEAD_AES_256_GCM",
                    "original_type": "transaction",
                    "ciphertext": base64.b64encode(sealed).decode(),
                    "nonce": nonce,
                    "associated_data": bound,
                },
                "summary": "支付成功",
            },
            ensure_ascii=False,
        )
        headers = self._signature(body, stamp(twist), spoilt=twist.forged)
        return Outgoing("POST", payment.notify_url, body.encode(), {"Content-Type": "application/json", **headers})

    def back(self, payment: Payment) -> str:
        """Nowhere: the buyer paid with a phone, or came with a redirect_url that the phone keeps."""
        return payment.return_url

    def taken(self, status: int, answer: bytes) -> bool:
        """The status alone decides."""
        return status in (200, 204) and len(answer) < 4096

    def channel(self) -> tuple[dict[str, str], dict[str, str]]:
        """With WeChat's public key and its id, the shop's private key and the API v3 key."""
        keys = self._world.keys
        settings = {
            "url": f"{self._world.url}/wechat",
            "mchid": WECHAT_MCHID,
            "appid": WECHAT_APPID,
            "serial_no": WECHAT_SERIAL,
            "public_key_id": WECHAT_KEY_ID,
            "public_key": public_pem(keys.wechat_gateway),
        }
        return settings, {"private_key": keys.wechat_merchant, "apiv3_key": keys.wechat_apiv3}
