"""Payments as the sandbox's gateways know them: in memory, journalled to a file of JSON lines so that a restart keeps them."""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chadan.sandbox.journal import Journal

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(slots=True)
class Payment:
    """One payment. `amount` in fen; times as ISO 8601; `state` unpaid, paid, closed or refunded."""

    protocol: str
    out_no: str
    amount: int
    subject: str
    notify_url: str
    return_url: str
    kind: str = ""
    """What the buyer pays with, in the protocol's word: alipay, wxpay, NATIVE, FAST_INSTANT_TRADE_PAY, …"""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    txn_no: str = field(default_factory=lambda: f"{now():%Y%m%d%H%M%S}{secrets.randbelow(10**10):010d}")
    state: str = "unpaid"
    created_at: str = field(default_factory=lambda: now().isoformat(timespec="seconds"))
    paid_at: str = ""
    refunds: dict[str, int] = field(default_factory=dict)
    """Request number to fen."""
    told: list[dict[str, Any]] = field(default_factory=list)
    """Callbacks sent: `at`, `status` (0: no answer), `answer`, `taken`."""

    @property
    def refunded(self) -> int:
        """Fen sent back so far."""
        return sum(self.refunds.values())


def now() -> datetime:
    """Now, in Shanghai."""
    return datetime.now(SHANGHAI)


class Refused(Exception):
    """What a gateway says no to; `code` is one of: duplicate, not_paid, too_much, unknown, closed."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class Payments:
    """All payments. Every change holds the lock and is journalled before it is answered."""

    def __init__(self, journal: Path) -> None:
        """Reads the journal, shortens it to one line a payment and appends from then on. Raises OSError when another holds it."""
        self._lock = threading.RLock()
        self._by_no: dict[tuple[str, str], Payment] = {}
        self._by_id: dict[str, Payment] = {}
        with journal.with_suffix(".lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._held = os.dup(held.fileno())  # the lock lives as long as this does
        self._journal = Journal(journal)
        for line in self._journal.read():
            self._keep(Payment(**line))
        self._journal.begin(map(asdict, self._by_id.values()))

    def _keep(self, payment: Payment) -> None:
        self._by_no[payment.protocol, payment.out_no] = payment
        self._by_id[payment.id] = payment

    def _write(self, payment: Payment) -> None:
        self._journal.write(asdict(payment))

    @contextmanager
    def change(self, payment: Payment) -> Iterator[Payment]:
        """Lock, change, journal."""
        with self._lock:
            yield payment
            self._write(payment)

    def create(self, new: Payment) -> Payment:
        """Keeps a new payment; the same number again is the same payment when nothing differs. Raises Refused."""
        with self._lock:
            known = self._by_no.get((new.protocol, new.out_no))
            if known is None:
                self._keep(new)
                self._write(new)
                return new
            if known.amount != new.amount or known.state != "unpaid":
                raise Refused("duplicate", "out_trade_no was used before")
            return known

    def find(self, protocol: str, out_no: str) -> Payment | None:
        """By our own number, which the gateways call the merchant's."""
        with self._lock:
            return self._by_no.get((protocol, out_no))

    def by_id(self, payment_id: str) -> Payment | None:
        """By the cashier's id."""
        with self._lock:
            return self._by_id.get(payment_id)

    def every(self) -> list[Payment]:
        """All, oldest first."""
        with self._lock:
            return list(self._by_id.values())

    def pay(self, payment: Payment) -> bool:
        """Marks it paid; False when it is not waiting for that."""
        with self.change(payment):
            if payment.state != "unpaid":
                return False
            payment.state, payment.paid_at = "paid", now().isoformat(timespec="seconds")
            return True

    def close(self, payment: Payment) -> bool:
        """Marks an unpaid payment closed."""
        with self.change(payment):
            if payment.state != "unpaid":
                return False
            payment.state = "closed"
            return True

    def refund(self, payment: Payment, request_no: str, amount: int) -> bool:
        """Sends money back; the same number again changes nothing and says False. Raises Refused."""
        with self.change(payment):
            if request_no in payment.refunds:
                if payment.refunds[request_no] != amount:
                    raise Refused("duplicate", "the refund's number was used for another amount")
                return False
            if payment.state not in ("paid", "refunded"):
                raise Refused("not_paid", "the payment is not paid")
            if payment.refunded + amount > payment.amount or amount <= 0:
                raise Refused("too_much", "more than was paid")
            payment.refunds[request_no] = amount
            if payment.refunded == payment.amount:
                payment.state = "refunded"
            return True

    def shut(self) -> None:
        """Closes the journal and lets another sandbox have it."""
        self._journal.shut()
        os.close(self._held)
