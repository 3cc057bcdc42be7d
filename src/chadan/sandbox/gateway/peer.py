"""What a gateway's side is to the rest of the sandbox, and what every one of them needs."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from chadan.sandbox.faults import FaultKind, Faults
from chadan.sandbox.keys import Keys, loaded
from chadan.sandbox.payments import Payment, Payments
from chadan.sandbox.wire import Outgoing, Request, Response


@dataclass(frozen=True, slots=True)
class Twist:
    """How a callback differs from the truth."""

    amount: int | None = None
    payee: str = ""
    forged: bool = False
    seconds_ago: float = 0.0
    paid: bool = False
    """Says paid whatever the payment's state."""


@dataclass(frozen=True, slots=True)
class World:
    """What the gateways share."""

    url: str
    """The sandbox's own address, without a slash at the end."""
    keys: Keys
    payments: Payments
    faults: Faults
    created: Callable[[Payment], None]
    """Called when a payment was created, before that is answered: the buyer may be quicker."""

    def cashier(self, payment: Payment) -> str:
        """The buyer's page."""
        return f"{self.url}/cashier/{payment.id}"

    def unsigned(self, protocol: str, out_no: str) -> bool:
        """Whether this answer's signature is to be spoilt."""
        return self.faults.hit(FaultKind.UNSIGNED, protocol, out_no) is not None


class Peer(Protocol):
    """One protocol's other side."""

    protocol: ClassVar[str]

    def operation(self, request: Request) -> tuple[str, str]:
        """The call's operation (create, query, refund, refund_query, or "" for a page) and the payment's number."""

    def handle(self, request: Request) -> Response:
        """Answers a call."""

    def callback(self, payment: Payment, twist: Twist) -> Outgoing:
        """The callback that tells how the payment stands, twisted."""

    def taken(self, status: int, answer: bytes) -> bool:
        """Whether the shop's answer ends the repeats."""

    def back(self, payment: Payment) -> str:
        """Where the buyer goes after paying; "" when nowhere."""

    def channel(self) -> tuple[dict[str, str], dict[str, str]]:
        """The settings and secrets a shop's channel needs to use this gateway."""


def sign(private_pem: str, message: str) -> str:
    """RSA-SHA256 in Base64."""
    return base64.b64encode(loaded(private_pem).sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def verified(merchant_private_pem: str, message: str, signature: str) -> bool:
    """Whether the shop signed the message (its public half is derived from the key the sandbox handed out)."""
    key = loaded(merchant_private_pem).public_key()
    try:
        key.verify(base64.b64decode(signature), message.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def spoil(signature: str) -> str:
    """A signature of the right shape that is nobody's."""
    return signature[:-8] + ("AAAAAA==" if signature.endswith("==") else "00000000")


def joined(fields: Mapping[str, str], *without: str) -> str:
    """`name=value` of the fields that have one, by name, joined by `&`."""
    return "&".join(f"{name}={value}" for name, value in sorted(fields.items()) if value and name not in without)


def yuan(fen: int) -> str:
    """Fen as yuan."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen(written: str) -> int:
    """Yuan as fen; raises ValueError."""
    whole, _, part = written.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0")[:2] or "0")


def stamp(twist: Twist) -> str:
    """The time a callback claims, in seconds since 1970."""
    return str(int(time.time() - twist.seconds_ago))
