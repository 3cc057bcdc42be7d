"""What a payment gateway is to Chadan: five calls and an answer. Protocols know nothing of orders or the database.

Money is integer fen, moments are aware. A gateway that cannot be reached raises GatewayUnreachable: nothing is known then,
and the caller asks again later. A gateway that refuses raises GatewayRefused with its own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from chadan.orders.states import PaymentMethod
from chadan.platform.http_call import Unreachable
from chadan.platform.peers import Answer, ForgedMessage, PeerRefused

__all__ = ["Answer"]


class GatewayUnreachable(Unreachable):
    """No answer, or none that can be understood: whether money moved is unknown."""

    code = "gateway_unreachable"


class GatewayRefused(PeerRefused):
    """The gateway answered, and said no."""

    code = "gateway_refused"


class ForgedCallback(ForgedMessage):
    """A callback whose signature, application or merchant id is not right, or that is too old."""

    code = "forged_callback"


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """A payment channel as its gateway needs it: public settings and opened secrets."""

    channel_id: int
    method: PaymentMethod
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PayRequest:
    """A payment to start. `out_no` is our number, persisted before this is sent."""

    out_no: str
    amount: int
    subject: str
    notify_url: str
    return_url: str
    client_ip: str
    device: str = "pc"
    """"pc" or "mobile"."""
    expires_at: datetime | None = None


class Show(StrEnum):
    """How the buyer gets to pay."""

    REDIRECT = "redirect"  # go to `url`
    QR = "qr"  # scan a code that holds `url`
    WAIT = "wait"  # nothing to do: somebody confirms by hand, or it is paid already


@dataclass(frozen=True, slots=True)
class PayStart:
    """A started payment."""

    show: Show
    url: str = ""
    txn_no: str = ""


class PayState(StrEnum):
    """What a gateway says of a payment."""

    PAID = "paid"
    UNPAID = "unpaid"
    CLOSED = "closed"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"  # it has never heard of it


@dataclass(frozen=True, slots=True)
class Told:
    """A payment as a gateway tells it, in a verified callback or in answer to a query."""

    state: PayState
    out_no: str
    txn_no: str = ""
    amount: int | None = None
    currency: str = "CNY"
    payee: str = ""
    """The gateway's id of who received it: pid, seller_id, mchid. Compared with the channel's before anything is believed."""
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A refund to send. `request_no` is our number, persisted before this is sent."""

    out_no: str
    txn_no: str
    request_no: str
    amount: int
    total: int
    reason: str


class RefundState(StrEnum):
    """What a gateway says of a refund."""

    DONE = "done"
    PENDING = "pending"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RefundTold:
    """A refund as a gateway tells it."""

    state: RefundState
    refund_no: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RawCallback:
    """A callback as it arrived."""

    method: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    """Lower-case names."""
    received_at: datetime


class Gateway(Protocol):
    """One protocol with one channel's settings."""

    protocol: ClassVar[str]
    """Its name in payment_channels.protocol."""
    confirms_by_query: ClassVar[bool]
    """Whether a callback alone is not believed (epay): the payment is queried before it counts."""
    can_refund: bool
    """Whether this channel can send money back; epay V1 sites differ."""
    setting_names: ClassVar[tuple[str, ...]]
    secret_names: ClassVar[tuple[str, ...]]

    def __init__(self, channel: ChannelConfig) -> None: ...

    def problems(self) -> list[str]:
        """Why this channel is unsafe or incomplete, in sentences; it cannot be enabled while there are any."""

    def create(self, request: PayRequest) -> PayStart:
        """Starts a payment. Raises GatewayUnreachable or GatewayRefused."""

    def query(self, out_no: str) -> Told:
        """Asks about a payment. Raises GatewayUnreachable or GatewayRefused."""

    def read_callback(self, callback: RawCallback) -> Told:
        """Verifies a callback and reads it. Raises ForgedCallback."""

    def answer(self, *, taken: bool) -> Answer:
        """The reply to a callback: `taken` True stops the gateway's repeats, False asks for another."""

    def refund(self, request: RefundRequest) -> RefundTold:
        """Sends a refund. Raises GatewayUnreachable or GatewayRefused."""

    def query_refund(self, request: RefundRequest) -> RefundTold:
        """Asks about a refund. Raises GatewayUnreachable or GatewayRefused."""
