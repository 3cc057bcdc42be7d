"""易支付 V2: the fields of V1 signed with RSA-SHA256 on both sides, with a timestamp; refunds carry our number.

Every answer must be signed by the gateway and no older than five minutes. One gateway key serves all merchants of a site, so the pid is checked as well.
Settings: `url`, `pid`, `type`, `way` (submit or create), `public_key` (the gateway's). Secret: `private_key`.
"""

from __future__ import annotations

import time
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
from chadan.payments.gateways.epay1 import TYPES, no_such_order, order_fields, told_of_callback, told_of_order
from chadan.payments.gateways.http_call import call
from chadan.payments.gateways.replies import FORM, fields_of, in_window, is_theirs, our_key, refused, understood
from chadan.platform.peers import address_problems
from chadan.platform.wording import gettext as _

REFUNDS = {"1": RefundState.DONE, "0": RefundState.FAILED}


class EpayV2:
    """One site's epay V2."""

    protocol: ClassVar[str] = "epay2"
    confirms_by_query: ClassVar[bool] = True
    can_refund: bool = True
    setting_names: ClassVar[tuple[str, ...]] = ("url", "pid", "type", "way", "public_key")
    secret_names: ClassVar[tuple[str, ...]] = ("private_key",)

    def __init__(self, channel: ChannelConfig) -> None:
        self._channel = channel
        self._url = channel.settings.get("url", "").rstrip("/") + "/api/pay/"
        self._pid = channel.settings.get("pid", "")
        self._type = channel.settings.get("type", "") or TYPES.get(channel.method, "")

    def problems(self) -> list[str]:
        """Why this channel is unsafe or incomplete."""
        channel = self._channel
        return [
            *checks.missing(channel, ("url", "pid", "public_key", "private_key")),
            *address_problems(channel.settings.get("url", "")),
            *checks.choice(channel, "way", ("submit", "create")),
            *([] if self._type else [_("Say in “type” what the site calls this way of paying.")]),
            *checks.key_pair(channel.secrets.get("private_key", ""), channel.settings.get("public_key", "")),
        ]

    def create(self, request: PayRequest) -> PayStart:
        """The signed address of the site's cashier, or what /api/pay/create answers."""
        fields = order_fields(request, self._type)
        if self._channel.settings.get("way") != "create":
            return PayStart(Show.REDIRECT, f"{self._url}submit?{urlencode(self._signed(fields))}")
        found = self._ask("create", fields | {"method": "web", "clientip": request.client_ip, "device": request.device})
        if values.text(found, "code") != "0":
            raise refused(found, self._channel)
        kind, way, txn_no = (values.text(found, name) for name in ("pay_type", "pay_info", "trade_no"))
        if kind == "jump" and way.startswith(("https://", "http://")):
            return PayStart(Show.REDIRECT, way, txn_no)
        if kind in ("qrcode", "urlscheme") and way:
            return PayStart(Show.QR, way, txn_no)
        raise GatewayRefused(_("The gateway answered without a way to pay."))

    def query(self, out_no: str) -> Told:
        """The payment as /api/pay/query tells it."""
        found = self._ask("query", {"out_trade_no": out_no})
        if values.text(found, "code") != "0":
            if no_such_order(found):
                return Told(PayState.UNKNOWN, out_no)
            raise refused(found, self._channel)
        return told_of_order(found, out_no, self._pid)

    def read_callback(self, callback: RawCallback) -> Told:
        """Verifies the sign, which must be RSA, the time and the pid."""
        try:
            fields = fields_of(callback)
            if fields.get("sign_type") != "RSA" or not self._is_theirs(fields):
                raise ForgedCallback(_("The signature is not the gateway's."))
            if not in_window(fields.get("timestamp", ""), callback.received_at.timestamp()):
                raise ForgedCallback(_("The callback is too old."))
            return told_of_callback(fields, self._pid)
        except values.Unreadable as error:
            raise ForgedCallback(_("The callback cannot be read.")) from error

    def answer(self, *, taken: bool) -> Answer:
        """`success` ends the repeats."""
        return Answer(200, "text/plain; charset=utf-8", b"success" if taken else b"fail")

    def refund(self, request: RefundRequest) -> RefundTold:
        """Sends a refund under our number: sent again, it is the same refund. What it came to is asked for right away."""
        fields = {
            "out_trade_no": request.out_no,
            "money": values.yuan(request.amount),
            "out_refund_no": request.request_no,
        }
        found = self._ask("refund", fields)
        if values.text(found, "code") != "0":
            raise refused(found, self._channel)
        accepted = RefundTold(RefundState.PENDING, values.text(found, "refund_no"))
        try:
            told = self.query_refund(request)
        except (GatewayUnreachable, GatewayRefused):
            return accepted
        return accepted if told.state is RefundState.UNKNOWN else told

    def query_refund(self, request: RefundRequest) -> RefundTold:
        """The refund as /api/pay/refundquery tells it."""
        found = self._ask("refundquery", {"out_refund_no": request.request_no})
        if values.text(found, "code") != "0":
            if no_such_order(found, "退款"):
                return RefundTold(RefundState.UNKNOWN)
            raise refused(found, self._channel)
        if values.text(found, "out_refund_no") != request.request_no:
            raise GatewayUnreachable(_("The gateway answered about another refund."))
        state = REFUNDS.get(values.text(found, "status"), RefundState.PENDING)
        return RefundTold(state, values.text(found, "refund_no"), values.text(found, "msg"))

    def _signed(self, fields: Mapping[str, str]) -> dict[str, str]:
        whole = {**fields, "pid": self._pid, "timestamp": str(int(time.time()))}
        return {
            **whole,
            "sign": signing.rsa_sign(our_key(self._channel), signing.string_to_sign(whole)),
            "sign_type": "RSA",
        }

    def _is_theirs(self, fields: Mapping[str, Any]) -> bool:
        """Whether the gateway signed the fields; lists and objects are not covered."""
        plain = {name: value for name, value in fields.items() if isinstance(value, str)}
        return is_theirs(self._channel, signing.string_to_sign(plain), plain.get("sign", ""))

    def _ask(self, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """A signed call whose answer is signed too. Sites do not sign refusals: those are passed on, for they move no money."""
        found = understood(call("POST", self._url + path, body=urlencode(self._signed(fields)).encode(), headers=FORM))
        if not values.text(found, "sign") and values.text(found, "code") not in ("", "0"):
            return found
        if not self._is_theirs(found):
            raise GatewayUnreachable(_("The gateway's answer is not signed by it."))
        if not in_window(values.text(found, "timestamp"), datetime.now(values.SHANGHAI).timestamp()):
            raise GatewayUnreachable(_("The gateway's answer is too old, or this machine's clock is wrong."))
        return found
