"""易支付 V1: fields signed with MD5 and a shared key, callbacks as GET.

The scheme is weak (replayable, no time, MD5), so a callback only says "ask": `confirms_by_query` is True and nothing is delivered before
`api.php?act=order` says the same. Settings: `url`, `pid`, `type` (alipay, wxpay, qqpay; default by the channel's method), `way` (submit or mapi), `join`
(how the site appends its key: bare or named), `refunds` ("1" where the site offers api.php?act=refund). Secret: `key`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode, urljoin

from chadan.orders.states import PaymentMethod
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
from chadan.payments.gateways.http_call import call
from chadan.payments.gateways.replies import FORM, fields_of, refused, understood
from chadan.platform.peers import address_problems
from chadan.platform.wording import gettext as _

TYPES = {PaymentMethod.ALIPAY: "alipay", PaymentMethod.WECHAT: "wxpay", PaymentMethod.QQPAY: "qqpay"}
STATES = {"0": PayState.UNPAID, "1": PayState.PAID, "2": PayState.REFUNDED}
NAME_BYTES = 120


class EpayV1:
    """One site's epay V1."""

    protocol: ClassVar[str] = "epay1"
    confirms_by_query: ClassVar[bool] = True
    can_refund: bool = False
    setting_names: ClassVar[tuple[str, ...]] = ("url", "pid", "type", "way", "join", "refunds")
    secret_names: ClassVar[tuple[str, ...]] = ("key",)

    def __init__(self, channel: ChannelConfig) -> None:
        self._channel = channel
        self._url = channel.settings.get("url", "").rstrip("/") + "/"
        self._pid = channel.settings.get("pid", "")
        self._key = channel.secrets.get("key", "")
        self._join = signing.Join.NAMED if channel.settings.get("join") == "named" else signing.Join.BARE
        self._type = channel.settings.get("type", "") or TYPES.get(channel.method, "")
        self.can_refund = channel.settings.get("refunds") == "1"

    def problems(self) -> list[str]:
        """Why this channel is unsafe or incomplete."""
        return [
            *checks.missing(self._channel, ("url", "pid", "key")),
            *address_problems(self._channel.settings.get("url", "")),
            *checks.choice(self._channel, "way", ("submit", "mapi")),
            *checks.choice(self._channel, "join", ("bare", "named")),
            *checks.choice(self._channel, "refunds", ("0", "1")),
            *([] if self._type else [_("Say in “type” what the site calls this way of paying.")]),
            *checks.shared_key(self._key),
        ]

    def create(self, request: PayRequest) -> PayStart:
        """The signed address of the site's cashier, or what mapi.php answers."""
        fields = {"pid": self._pid, **order_fields(request, self._type)}
        if self._channel.settings.get("way") != "mapi":
            return PayStart(Show.REDIRECT, f"{self._url}submit.php?{urlencode(self._signed(fields))}")
        fields |= {"clientip": request.client_ip, "device": request.device}
        found = self._ask("POST", "mapi.php", self._signed(fields))
        if values.text(found, "code") != "1":
            raise refused(found, self._channel)
        return start_of(found)

    def query(self, out_no: str) -> Told:
        """The payment as api.php?act=order tells it. The answer is not signed: TLS and the key in the question vouch for it."""
        found = self._ask(
            "GET", "api.php", {"act": "order", "pid": self._pid, "key": self._key, "out_trade_no": out_no}
        )
        if values.text(found, "code") != "1":
            if no_such_order(found):
                return Told(PayState.UNKNOWN, out_no)
            raise refused(found, self._channel)
        return told_of_order(found, out_no, self._pid)

    def read_callback(self, callback: RawCallback) -> Told:
        """Verifies the sign and the pid."""
        try:
            fields = fields_of(callback)
            if fields.get("sign_type", "MD5") != "MD5" or not signing.md5_verified(fields, self._key, self._join):
                raise ForgedCallback(_("The signature is not the gateway's."))
            return told_of_callback(fields, self._pid)
        except values.Unreadable as error:
            raise ForgedCallback(_("The callback cannot be read.")) from error

    def answer(self, *, taken: bool) -> Answer:
        """`success` ends the repeats."""
        return Answer(200, "text/plain; charset=utf-8", b"success" if taken else b"fail")

    def refund(self, request: RefundRequest) -> RefundTold:
        """Sends the whole sum back. V1 refunds carry no number, so a part of a payment could be sent twice: it is refused here."""
        if not self.can_refund:
            raise GatewayRefused(_("This site offers no refunds: refund in its back office and confirm by hand."))
        if request.amount != request.total:
            raise GatewayRefused(
                _("Epay V1 cannot refund a part safely: refund in its back office and confirm by hand.")
            )
        fields = {
            "pid": self._pid,
            "key": self._key,
            "out_trade_no": request.out_no,
            "money": values.yuan(request.amount),
        }
        if request.txn_no:
            fields["trade_no"] = request.txn_no
        found = self._ask("POST", "api.php?act=refund", fields)
        if values.text(found, "code") == "1":
            return RefundTold(RefundState.DONE, values.text(found, "refund_no"))
        if self.query(request.out_no).state is PayState.REFUNDED:
            return RefundTold(RefundState.DONE)  # an earlier try got through
        raise refused(found, self._channel)

    def query_refund(self, request: RefundRequest) -> RefundTold:
        """Whether the payment stands as refunded; V1 knows no refunds of their own."""
        done = self.query(request.out_no).state is PayState.REFUNDED
        return RefundTold(RefundState.DONE if done else RefundState.UNKNOWN)

    def _signed(self, fields: Mapping[str, str]) -> dict[str, str]:
        if not self._key:
            raise GatewayRefused(_("“%(name)s” is missing.") % {"name": "key"})
        return {**fields, "sign": signing.md5_sign(fields, self._key, self._join), "sign_type": "MD5"}

    def _ask(self, method: str, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
        url = urljoin(self._url, path)
        if method == "GET":
            return understood(call("GET", f"{url}?{urlencode(fields)}"))
        return understood(call("POST", url, body=urlencode(fields).encode(), headers=FORM))


def order_fields(request: PayRequest, kind: str) -> dict[str, str]:
    """What both versions say of a payment; `kind` is the site's word for the way of paying."""
    return {
        "type": kind,
        "out_trade_no": request.out_no,
        "notify_url": request.notify_url,
        "return_url": request.return_url,
        "name": values.shorten(request.subject, NAME_BYTES),
        "money": values.yuan(request.amount),
    }


def start_of(found: Mapping[str, Any]) -> PayStart:
    """What a mapi.php answer lets the buyer do. Raises GatewayRefused for an address that is none."""
    txn_no = values.text(found, "trade_no")
    if page := values.text(found, "payurl"):
        if not page.startswith(("https://", "http://")):
            raise GatewayRefused(_("The gateway answered with an address that is not a web page."))
        return PayStart(Show.REDIRECT, page, txn_no)
    if code := values.text(found, "qrcode") or values.text(found, "urlscheme"):
        return PayStart(Show.QR, code, txn_no)
    raise GatewayRefused(_("The gateway answered without a way to pay."))


def no_such_order(found: Mapping[str, Any], what: str = "订单") -> bool:
    """Whether the site has never heard of the order, or of `what` (sites have words for it, not codes)."""
    words = values.text(found, "msg")
    return what in words and "不存在" in words


def told_of_order(found: Mapping[str, Any], out_no: str, pid: str) -> Told:
    """An order in a site's answer, V1 or V2. Raises GatewayUnreachable when it is another's or cannot be read."""
    if values.text(found, "out_trade_no") != out_no:
        raise GatewayUnreachable(_("The gateway answered about another payment."))
    try:
        amount = values.fen_of(values.text(found, "money"), "money")
    except values.Unreadable as error:
        raise GatewayUnreachable(_("The gateway's answer cannot be read.")) from error
    return Told(
        STATES.get(values.text(found, "status"), PayState.UNPAID),
        out_no,
        values.text(found, "trade_no"),
        amount,
        payee=values.text(found, "pid") or pid,
        paid_at=values.moment(values.text(found, "endtime")),
    )


def told_of_callback(fields: Mapping[str, str], pid: str) -> Told:
    """A verified callback, V1 or V2. Raises ForgedCallback for another merchant's, Unreadable for a missing field."""
    if not pid or fields.get("pid") != pid:
        raise ForgedCallback(_("The callback is for another merchant."))
    out_no, txn_no = fields.get("out_trade_no", ""), fields.get("trade_no", "")
    if not out_no or not txn_no:
        raise values.Unreadable("a number is missing")
    paid = fields.get("trade_status") == "TRADE_SUCCESS"
    amount = values.fen_of(fields.get("money", ""), "money")
    return Told(PayState.PAID if paid else PayState.UNPAID, out_no, txn_no, amount, payee=pid)
