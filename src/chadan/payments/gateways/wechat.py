"""微信支付 API v3: Native (QR) and H5; query, refund, refund query; callbacks as sealed JSON.

Our calls carry `Authorization: WECHATPAY2-SHA256-RSA2048`, signed over method, target, time, nonce and body. WeChat signs its answers and callbacks over
time, nonce and body; they must name the platform key we know and be no older than five minutes. What a callback says is sealed with AES-256-GCM under the
API v3 key. Settings: `url`, `mchid`, `appid`, `serial_no` (of our certificate), `public_key` and `public_key_id` (WeChat's public key and its id, or a
platform certificate and its serial), `way` (auto, native, h5). Secrets: `private_key`, `apiv3_key`.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chadan.payments.gateways import checks, signing, values
from chadan.payments.gateways.base import (
    Answer,
    ChannelConfig,
    ForgedCallback,
    GatewayRefused,
    GatewayUnreachable,
    PayRequest,
    PayStart,
    PayState,
    RawCallback,
    RefundRequest,
    RefundState,
    RefundTold,
    Show,
    Told,
)
from chadan.payments.gateways.http_call import Reply, call
from chadan.payments.gateways.replies import in_window, is_theirs, our_key, refused
from chadan.platform.peers import address_problems
from chadan.platform.wording import gettext as _

URL = "https://api.mch.weixin.qq.com"
SCHEME = "WECHATPAY2-SHA256-RSA2048"
KEY_BYTES = 32
SUBJECT_BYTES = 120
REASON_BYTES = 78
STATES = {
    "SUCCESS": PayState.PAID,
    "REFUND": PayState.REFUNDED,
    "NOTPAY": PayState.UNPAID,
    "USERPAYING": PayState.UNPAID,
    "ACCEPT": PayState.UNPAID,
    "PAYERROR": PayState.UNPAID,
    "CLOSED": PayState.CLOSED,
    "REVOKED": PayState.CLOSED,
}
REFUNDS = {
    "SUCCESS": RefundState.DONE,
    "PROCESSING": RefundState.PENDING,
    "CLOSED": RefundState.FAILED,
    "ABNORMAL": RefundState.FAILED,
}


class WeChat:
    """One merchant number with one application."""

    protocol: ClassVar[str] = "wechat"
    confirms_by_query: ClassVar[bool] = False
    can_refund: bool = True
    setting_names: ClassVar[tuple[str, ...]] = (
        "url",
        "mchid",
        "appid",
        "serial_no",
        "public_key_id",
        "public_key",
        "way",
    )
    secret_names: ClassVar[tuple[str, ...]] = ("private_key", "apiv3_key")

    def __init__(self, channel: ChannelConfig) -> None:
        self._channel = channel
        self._url = (channel.settings.get("url", "") or URL).rstrip("/")
        self._mchid = channel.settings.get("mchid", "")
        self._appid = channel.settings.get("appid", "")

    def problems(self) -> list[str]:
        """Why this channel is unsafe or incomplete."""
        channel = self._channel
        sealing = channel.secrets.get("apiv3_key", "")
        needed = ("mchid", "appid", "serial_no", "public_key_id", "public_key", "private_key", "apiv3_key")
        return [
            *checks.missing(channel, needed),
            *address_problems(self._url),
            *checks.choice(channel, "way", ("auto", "native", "h5")),
            *([_("The API v3 key must have exactly 32 characters.")] if 0 < len(sealing) != KEY_BYTES else []),
            *([] if sealing.isascii() else [_("The API v3 key holds letters and digits only.")]),
            *checks.key_pair(channel.secrets.get("private_key", ""), channel.settings.get("public_key", "")),
        ]

    def create(self, request: PayRequest) -> PayStart:
        """A QR code, or on a phone the address of WeChat's H5 page."""
        order: dict[str, Any] = {
            "appid": self._appid,
            "mchid": self._mchid,
            "description": values.shorten(request.subject, SUBJECT_BYTES),
            "out_trade_no": request.out_no,
            "notify_url": request.notify_url,
            "amount": {"total": request.amount, "currency": "CNY"},
        }
        if request.expires_at is not None:
            order["time_expire"] = request.expires_at.astimezone(values.SHANGHAI).isoformat(timespec="seconds")
        way = self._channel.settings.get("way", "") or "auto"
        if way == "h5" or (way == "auto" and request.device == "mobile"):
            order["scene_info"] = {"payer_client_ip": request.client_ip, "h5_info": {"type": "Wap"}}
            page = values.text(self._ask("POST", "/v3/pay/transactions/h5", order), "h5_url")
            if not page.startswith(("https://", "http://")):
                raise GatewayRefused(_("The gateway answered with an address that is not a web page."))
            back = f"{'&' if '?' in page else '?'}redirect_url={quote(request.return_url, safe='')}"
            return PayStart(Show.REDIRECT, page + (back if request.return_url else ""))
        code = values.text(self._ask("POST", "/v3/pay/transactions/native", order), "code_url")
        if not code:
            raise GatewayRefused(_("The gateway answered without a way to pay."))
        return PayStart(Show.QR, code)

    def query(self, out_no: str) -> Told:
        """The payment by our number."""
        target = f"/v3/pay/transactions/out-trade-no/{quote(out_no, safe='')}?mchid={quote(self._mchid, safe='')}"
        found = self._ask("GET", target, unknown=("ORDER_NOT_EXIST", "ORDERNOTEXIST"))
        if not found:
            return Told(PayState.UNKNOWN, out_no)
        if values.text(found, "out_trade_no") != out_no or not self._is_ours(found):
            raise GatewayUnreachable(_("The gateway answered about another payment."))
        try:
            return self._told(found)
        except values.Unreadable as error:
            raise GatewayUnreachable(_("The gateway's answer cannot be read.")) from error

    def read_callback(self, callback: RawCallback) -> Told:
        """Verifies signature, key and time, opens what is sealed, checks merchant and application."""
        if not self._is_theirs(callback.headers, callback.body):
            raise ForgedCallback(_("The signature is not the gateway's."))
        if not in_window(callback.headers.get("wechatpay-timestamp", ""), callback.received_at.timestamp()):
            raise ForgedCallback(_("The callback is too old."))
        try:
            said = values.json_object(callback.body)
            if not values.text(said, "event_type").startswith("TRANSACTION."):
                raise ForgedCallback(_("The callback is not about a payment."))
            found = self._opened(said.get("resource"))
            if not self._is_ours(found):
                raise ForgedCallback(_("The callback is for another merchant."))
            return self._told(found)
        except values.Unreadable as error:
            raise ForgedCallback(_("The callback cannot be read.")) from error

    def answer(self, *, taken: bool) -> Answer:
        """The status decides: 204 ends the repeats, 400 asks for another."""
        if taken:
            return Answer(204, "application/json", b"")
        return Answer(
            400, "application/json", json.dumps({"code": "FAIL", "message": "失败"}, ensure_ascii=False).encode()
        )

    def refund(self, request: RefundRequest) -> RefundTold:
        """Sends a refund under our number: sent again, it is the same refund."""
        order = {
            "out_trade_no": request.out_no,
            "out_refund_no": request.request_no,
            "reason": values.shorten(request.reason, REASON_BYTES),
            "amount": {"refund": request.amount, "total": request.total, "currency": "CNY"},
        }
        return self._refund_told(self._ask("POST", "/v3/refund/domestic/refunds", order), request)

    def query_refund(self, request: RefundRequest) -> RefundTold:
        """The refund by our number."""
        target = f"/v3/refund/domestic/refunds/{quote(request.request_no, safe='')}"
        found = self._ask("GET", target, unknown=("RESOURCE_NOT_EXISTS",))
        return self._refund_told(found, request) if found else RefundTold(RefundState.UNKNOWN)

    @staticmethod
    def _refund_told(found: Mapping[str, Any], request: RefundRequest) -> RefundTold:
        if values.text(found, "out_refund_no") != request.request_no:
            raise GatewayUnreachable(_("The gateway answered about another refund."))
        status = values.text(found, "status")
        return RefundTold(REFUNDS.get(status, RefundState.PENDING), values.text(found, "refund_id"), status)

    def _told(self, found: Mapping[str, Any]) -> Told:
        """A transaction. Raises Unreadable."""
        state, amount = STATES.get(values.text(found, "trade_state")), found.get("amount")
        out_no, txn_no = values.text(found, "out_trade_no"), values.text(found, "transaction_id")
        money = amount if isinstance(amount, dict) else {}
        total = values.whole(values.text(money, "total"))
        if state is None or not out_no or (state is PayState.PAID and not (txn_no and total is not None)):
            raise values.Unreadable("a field is missing")
        return Told(
            state,
            out_no,
            txn_no,
            total,
            values.text(money, "currency") or "CNY",
            payee=self._mchid,
            paid_at=values.moment(values.text(found, "success_time")),
        )

    def _is_ours(self, found: Mapping[str, Any]) -> bool:
        return bool(self._mchid and self._appid) and (values.text(found, "mchid"), values.text(found, "appid")) == (
            self._mchid,
            self._appid,
        )

    def _opened(self, resource: object) -> dict[str, Any]:
        """The sealed JSON of a callback. Raises Unreadable, also for a wrong API v3 key."""
        if not isinstance(resource, dict) or values.text(resource, "algorithm") != "AEAD_AES_256_GCM":
            raise values.Unreadable("the resource is not sealed with AEAD_AES_256_GCM")
        try:
            opened = AESGCM(self._channel.secrets.get("apiv3_key", "").encode()).decrypt(
                values.text(resource, "nonce").encode(),
                base64.b64decode(values.text(resource, "ciphertext"), validate=True),
                values.text(resource, "associated_data").encode(),
            )
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise values.Unreadable("the resource cannot be opened") from error
        return values.json_object(opened)

    def _authorization(self, method: str, target: str, body: str) -> str:
        """The header that signs a call."""
        at, nonce = str(int(time.time())), secrets.token_hex(16)
        signature = signing.rsa_sign(our_key(self._channel), f"{method}\n{target}\n{at}\n{nonce}\n{body}\n")
        parts = {
            "mchid": self._mchid,
            "nonce_str": nonce,
            "signature": signature,
            "timestamp": at,
            "serial_no": self._channel.settings.get("serial_no", ""),
        }
        return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in parts.items())

    def _is_theirs(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether WeChat signed the body with the key we know."""
        settings = self._channel.settings
        serial = headers.get("wechatpay-serial", "")
        if not serial or serial != settings.get("public_key_id", ""):
            return False
        if headers.get("wechatpay-signature-type", SCHEME) != SCHEME:
            return False
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return False
        message = f"{headers.get('wechatpay-timestamp', '')}\n{headers.get('wechatpay-nonce', '')}\n{text}\n"
        return is_theirs(self._channel, message, headers.get("wechatpay-signature", ""))

    def _ask(
        self, method: str, path: str, order: Mapping[str, Any] | None = None, *, unknown: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """A call's answer; empty when it is a signed 404 with one of the codes in `unknown`."""
        body = json.dumps(order, ensure_ascii=False, separators=(",", ":")) if order is not None else ""
        url = self._url + path
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Authorization": self._authorization(method, target, body),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Wechatpay-Serial": self._channel.settings.get("public_key_id", ""),
        }
        return self._understood(call(method, url, body=body.encode(), headers=headers), unknown)

    def _understood(self, reply: Reply, unknown: tuple[str, ...]) -> dict[str, Any]:
        """What an answer says. A yes and a "no such thing" must be signed; other refusals change nothing."""
        signed = self._is_theirs(reply.headers, reply.body) and in_window(
            reply.headers.get("wechatpay-timestamp", ""), time.time()
        )
        if reply.status >= 500 or reply.status == 429 or reply.status < 200 or 300 <= reply.status < 400:
            raise GatewayUnreachable(_("The gateway answered with status %(status)s.") % {"status": reply.status})
        if not signed and reply.status in (200, 404):
            raise GatewayUnreachable(_("The gateway's answer is not signed by it."))
        try:
            found = values.json_object(reply.body)
        except values.Unreadable as error:
            raise GatewayUnreachable(_("The gateway's answer cannot be read.")) from error
        if reply.status == 200:
            return found
        if reply.status == 404 and values.text(found, "code") in unknown:
            return {}
        raise refused(found, self._channel, "code", "message")
