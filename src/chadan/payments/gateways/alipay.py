"""支付宝 (open platform, RSA2): page pay, wap pay and precreate QR; query, refund, refund query; callbacks as POST forms.

A call is a form signed over all its fields but `sign`; an answer is signed over the raw text of its `…_response` member; a callback over its fields without
`sign` and `sign_type`. Settings: `url`, `app_id`, `seller_id`, `way` (auto, page, wap, qr), `public_key` (Alipay's, not the application's). Secret: `private_key`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

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
from chadan.payments.gateways.replies import FORM, fields_of, is_theirs, our_key, refused
from chadan.platform.peers import address_problems
from chadan.platform.wording import gettext as _

URL = "https://openapi.alipay.com/gateway.do"
PAGES = {
    "page": ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    "wap": ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
}
SUBJECT_BYTES = 250
DONE, NO = "10000", "40004"
BUSY = ("ACQ.SYSTEM_ERROR", "SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR")
STATES = {
    "WAIT_BUYER_PAY": PayState.UNPAID,
    "TRADE_SUCCESS": PayState.PAID,
    "TRADE_FINISHED": PayState.PAID,
    "TRADE_CLOSED": PayState.CLOSED,
}


class Alipay:
    """One application of a merchant."""

    protocol: ClassVar[str] = "alipay"
    confirms_by_query: ClassVar[bool] = False
    can_refund: bool = True
    setting_names: ClassVar[tuple[str, ...]] = ("url", "app_id", "seller_id", "way", "public_key")
    secret_names: ClassVar[tuple[str, ...]] = ("private_key",)

    def __init__(self, channel: ChannelConfig) -> None:
        self._channel = channel
        self._url = channel.settings.get("url", "") or URL
        self._app_id = channel.settings.get("app_id", "")
        self._seller = channel.settings.get("seller_id", "")

    def problems(self) -> list[str]:
        """Why this channel is unsafe or incomplete."""
        channel = self._channel
        return [
            *checks.missing(channel, ("app_id", "seller_id", "public_key", "private_key")),
            *address_problems(self._url),
            *checks.choice(channel, "way", ("auto", "page", "wap", "qr")),
            *checks.key_pair(channel.secrets.get("private_key", ""), channel.settings.get("public_key", "")),
        ]

    def create(self, request: PayRequest) -> PayStart:
        """The signed address of Alipay's page for the buyer's device, or a QR code."""
        order: dict[str, str] = {
            "out_trade_no": request.out_no,
            "total_amount": values.yuan(request.amount),
            "subject": _plain(request.subject),
        }
        if request.expires_at is not None:
            order["time_expire"] = values.clock(request.expires_at)
        way = self._channel.settings.get("way", "") or "auto"
        if way == "qr":
            found = self._ask("alipay.trade.precreate", order, notify_url=request.notify_url)
            if code := values.text(found, "qr_code"):
                return PayStart(Show.QR, code)
            raise GatewayRefused(_("The gateway answered without a way to pay."))
        page = way if way in PAGES else ("wap" if request.device == "mobile" else "page")
        method, product = PAGES[page]
        order["product_code"] = product
        fields = self._signed(method, order, notify_url=request.notify_url, return_url=request.return_url)
        return PayStart(Show.REDIRECT, f"{self._url}?{urlencode(fields)}")

    def query(self, out_no: str) -> Told:
        """The payment as alipay.trade.query tells it. Alipay hears of a page payment when the buyer opens it, not before."""
        found = self._ask("alipay.trade.query", {"out_trade_no": out_no}, unknown="ACQ.TRADE_NOT_EXIST")
        if not found:
            return Told(PayState.UNKNOWN, out_no)
        if values.text(found, "out_trade_no") != out_no:
            raise GatewayUnreachable(_("The gateway answered about another payment."))
        paid_at = values.moment(values.text(found, "send_pay_date"))
        try:
            return self._told(found, refunded=paid_at is not None, paid_at=paid_at)
        except values.Unreadable as error:
            raise GatewayUnreachable(_("The gateway's answer cannot be read.")) from error

    def read_callback(self, callback: RawCallback) -> Told:
        """Verifies the sign, which must be RSA2, the application and the seller."""
        try:
            fields = fields_of(callback)
            message = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name not in signing.UNSIGNED)
            if fields.get("sign_type") != "RSA2" or not is_theirs(self._channel, message, fields.get("sign", "")):
                raise ForgedCallback(_("The signature is not the gateway's."))
            if not self._app_id or fields.get("app_id") != self._app_id:
                raise ForgedCallback(_("The callback is for another application."))
            if not self._seller or fields.get("seller_id") != self._seller:
                raise ForgedCallback(_("The callback is for another merchant."))
            refunded = values.fen_of(fields.get("refund_fee") or "0", "refund_fee") > 0
            return self._told(fields, refunded=refunded, paid_at=values.moment(fields.get("gmt_payment", "")))
        except values.Unreadable as error:
            raise ForgedCallback(_("The callback cannot be read.")) from error

    def answer(self, *, taken: bool) -> Answer:
        """Exactly `success` ends the repeats."""
        return Answer(200, "text/plain; charset=utf-8", b"success" if taken else b"fail")

    def refund(self, request: RefundRequest) -> RefundTold:
        """Sends a refund under our number: sent again, it is the same refund."""
        found = self._ask(
            "alipay.trade.refund",
            {
                "out_trade_no": request.out_no,
                "refund_amount": values.yuan(request.amount),
                "out_request_no": request.request_no,
                "refund_reason": _plain(request.reason),
            },
        )
        if values.text(found, "fund_change") == "Y":
            return RefundTold(RefundState.DONE, values.text(found, "trade_no"))
        told = self.query_refund(request)  # nothing moved this time: it was sent before, or is still under way
        return RefundTold(RefundState.PENDING) if told.state is RefundState.UNKNOWN else told

    def query_refund(self, request: RefundRequest) -> RefundTold:
        """The refund as alipay.trade.fastpay.refund.query tells it; one that never was has no status."""
        found = self._ask(
            "alipay.trade.fastpay.refund.query",
            {"out_trade_no": request.out_no, "out_request_no": request.request_no},
            unknown="ACQ.TRADE_NOT_EXIST",
        )
        done = values.text(found, "refund_status") == "REFUND_SUCCESS"
        return RefundTold(RefundState.DONE if done else RefundState.UNKNOWN, values.text(found, "trade_no"))

    def _told(self, fields: Mapping[str, Any], *, refunded: bool, paid_at: datetime | None) -> Told:
        """A payment in an answer or a callback. TRADE_CLOSED after a payment means refunded. Raises Unreadable."""
        state = STATES.get(values.text(fields, "trade_status"))
        out_no, txn_no = values.text(fields, "out_trade_no"), values.text(fields, "trade_no")
        if state is None or not out_no or not txn_no:
            raise values.Unreadable("a field is missing")
        if state is PayState.CLOSED and refunded:
            state = PayState.REFUNDED
        amount = values.fen_of(values.text(fields, "total_amount"), "total_amount")
        return Told(state, out_no, txn_no, amount, payee=self._seller, paid_at=paid_at)

    def _signed(self, method: str, order: Mapping[str, str], **more: str) -> dict[str, str]:
        fields = {
            "app_id": self._app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": values.clock(datetime.now(values.SHANGHAI)),
            "version": "1.0",
            "biz_content": json.dumps(order, ensure_ascii=False, separators=(",", ":")),
            **{name: value for name, value in more.items() if value},
        }
        return {**fields, "sign": signing.rsa_sign(our_key(self._channel), signing.string_to_sign(fields, ("sign",)))}

    def _ask(self, method: str, order: Mapping[str, str], *, unknown: str = "", **more: str) -> dict[str, Any]:
        """A call's answer; empty when it is refused with the sub code `unknown`."""
        fields = self._signed(method, order, **more)
        found = self._verified(call("POST", self._url, body=urlencode(fields).encode(), headers=FORM), method)
        code, sub = values.text(found, "code"), values.text(found, "sub_code")
        if code == DONE:
            return found
        if code == NO and unknown and sub == unknown:
            return {}
        if code == "20000" or sub in BUSY:
            raise GatewayUnreachable(_("The gateway is busy."))
        raise refused(found, self._channel, "sub_code", "sub_msg", "msg")

    def _verified(self, reply: Reply, method: str) -> dict[str, Any]:
        """The answer's member, its signature checked over the text as it was sent. Raises GatewayUnreachable."""
        if reply.status != 200:
            raise GatewayUnreachable(_("The gateway answered with status %(status)s.") % {"status": reply.status})
        try:
            members = raw_members(reply.body.decode())
            raw = members.get(method.replace(".", "_") + "_response") or members.get("error_response", "")
            found = values.json_object(raw.encode())
            signature = json.loads(members.get("sign", '""'))
        except (values.Unreadable, ValueError) as error:
            raise GatewayUnreachable(_("The gateway's answer cannot be read.")) from error
        if "sign" not in members and values.text(found, "code") in ("40001", "40002", "40003", "40006"):
            raise refused(found, self._channel, "sub_code", "sub_msg", "msg")  # refused before it knew whom to sign for
        if not isinstance(signature, str) or not is_theirs(self._channel, raw, signature):
            raise GatewayUnreachable(_("The gateway's answer is not signed by it."))
        return found


def _plain(words: str) -> str:
    """The words without what Alipay forbids in them: / = &."""
    return values.shorten(re.sub(r"[/=&]", " ", words), SUBJECT_BYTES)


def raw_members(text: str) -> dict[str, str]:
    """The members of a JSON object, each value as the very text it stands as. Raises Unreadable."""
    decoder = json.JSONDecoder()
    found: dict[str, str] = {}
    try:
        mark, place = _mark(text, 0)
        if mark != "{":
            raise values.Unreadable("the answer is no JSON object")
        if _mark(text, place)[0] == "}":
            mark, place = _mark(text, place)
        while mark != "}":
            name, end = decoder.raw_decode(text, _blanks(text, place))
            colon, place = _mark(text, end)
            start = _blanks(text, place)
            _value, end = decoder.raw_decode(text, start)
            mark, place = _mark(text, end)
            if not isinstance(name, str) or name in found or colon != ":" or mark not in ",}":
                raise values.Unreadable("the answer is no plain JSON object")
            found[name] = text[start:end]
    except (ValueError, IndexError, RecursionError) as error:
        raise values.Unreadable("the answer is no JSON object") from error
    if text[place:].strip():
        raise values.Unreadable("something stands behind the answer")
    return found


def _blanks(text: str, place: int) -> int:
    """The place after blanks."""
    while text[place] in " \t\r\n":
        place += 1
    return place


def _mark(text: str, place: int) -> tuple[str, int]:
    """The next sign that is no blank, and the place behind it. Raises IndexError at the end."""
    place = _blanks(text, place)
    return text[place], place + 1
