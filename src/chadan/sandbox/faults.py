"""Misbehaviour on command: what the sandbox's gateways do wrong, for which payments, how often."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """What goes wrong. `value` means seconds, copies or fen where noted."""

    DROP = "drop"  # callbacks are never sent
    DELAY = "delay"  # a callback waits `value` seconds
    DUPLICATE = "duplicate"  # a callback is sent `value` times at once
    REORDER = "reorder"  # a callback waits until another payment's has been sent
    EARLY = "early"  # the buyer pays, and the callback arrives, before the payment's creation is answered
    FORGE = "forge"  # the callback's signature is not the gateway's
    MISPRICE = "misprice"  # rightly signed, with an amount of `value` fen
    WRONG_SELLER = "wrong_seller"  # rightly signed, for another merchant
    STALE = "stale"  # rightly signed, `value` seconds ago (epay V2, WeChat)
    UNPAID = "unpaid"  # rightly signed as paid, while the query says unpaid
    TIMEOUT = "timeout"  # a call hangs `value` seconds, then breaks, and nothing was done
    LOST = "lost"  # a call does its work, then breaks without an answer
    ERROR = "error"  # a call is answered with status 500
    UNSIGNED = "unsigned"  # answers and callbacks carry no good signature


AT_CALLS = frozenset({FaultKind.TIMEOUT, FaultKind.LOST, FaultKind.ERROR})


@dataclass(slots=True)
class Fault:
    """One standing order to misbehave. Empty `protocol` or `out_no` means all; `times` 0 means until it is cleared."""

    kind: FaultKind
    value: float = 0.0
    protocol: str = ""
    out_no: str = ""
    operation: str = ""
    """For calls: create, query, refund, refund_query; empty means all."""
    times: int = 0
    hits: int = field(default=0)

    def fits(self, protocol: str, out_no: str, operation: str) -> bool:
        """Whether it is meant for this."""
        return (
            self.protocol in ("", protocol)
            and self.out_no in ("", out_no)
            and self.operation in ("", operation)
            and (self.times == 0 or self.hits < self.times)
        )


class Faults:
    """The faults in force, newest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """From now on."""
        with self._lock:
            self._faults.insert(0, fault)

    def clear(self, protocol: str = "", out_no: str = "") -> None:
        """Ends the faults of a protocol or payment; all with neither."""
        with self._lock:
            self._faults = [
                fault
                for fault in self._faults
                if (protocol and fault.protocol != protocol) or (out_no and fault.out_no != out_no)
            ]

    def hit(self, kind: FaultKind, protocol: str, out_no: str, operation: str = "") -> Fault | None:
        """The fault of that kind that strikes here, counted; None when none does."""
        with self._lock:
            for fault in self._faults:
                if fault.kind is kind and fault.fits(protocol, out_no, operation):
                    fault.hits += 1
                    return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """The faults in force, for the control API."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]
