"""What both versions of epay share on the other side: how payments are described, callbacks and the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from urllib.parse import urlencode

from chadan.sandbox.gateway.peer import Twist, fen, spoil, yuan
from chadan.sandbox.keys import PID
from chadan.sandbox.payments import Payment
from chadan.sandbox.wire import Outgoing, Response, as_json

STATUS = {"unpaid": 0, "closed": 0, "paid": 1, "refunded": 2}


class EpaySite(ABC):
    """Tells shops in the query of a GET, and buyers' browsers on their way back."""

    @abstractmethod
    def signed(self, fields: dict[str, str], twist: Twist) -> tuple[str, str]:
        """(signature, its type) of the fields, to which a version may add its own."""

    def callback(self, payment: Payment, twist: Twist) -> Outgoing:
        """A GET with everything in the query."""
        return Outgoing("GET", self._told(payment.notify_url, payment, twist))

    def back(self, payment: Payment) -> str:
        """return_url with the same fields."""
        return self._told(payment.return_url, payment, Twist()) if payment.return_url else ""

    def taken(self, status: int, answer: bytes) -> bool:
        """Exactly `success`."""
        return status == 200 and answer.strip() == b"success"

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
        signature, kind = self.signed(fields, twist)
        fields |= {"sign": spoil(signature) if twist.forged else signature, "sign_type": kind}
        return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"


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
