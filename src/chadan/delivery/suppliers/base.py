"""What a supplier is to Chadan: buy, look, and what it offers. Protocols know nothing of orders or the database.

Money is integer fen. A call ends in one of four ways: an answer; SupplierRefused, the supplier's definite no; SupplierUnreachable,
when nobody knows; OutcomeUnknown, when only a person who looks at the supplier's own pages can know. A purchase is sent at most
once under new circumstances: what may have been sent already is only ever `recover`ed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from chadan.platform.errors import ChadanError
from chadan.platform.http_call import Unreachable
from chadan.platform.peers import Answer, ForgedMessage, PeerRefused

__all__ = ["Answer"]


class SupplierUnreachable(Unreachable):
    """No answer, or none that can be understood. `sent`: whether the supplier may have heard the question."""

    code = "supplier_unreachable"

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message, sent=sent)


class SupplierRefused(PeerRefused):
    """The supplier answered, and said no: nothing was bought. The message is its own words."""

    code = "supplier_refused"


class OutcomeUnknown(ChadanError):
    """Whether a purchase happened cannot be found out through the supplier's interface."""

    code = "supplier_outcome_unknown"
    status = 502


class ForgedReport(ForgedMessage):
    """A callback whose signature or time is not right, or that cannot be read."""

    code = "forged_report"
    status = 401


@dataclass(frozen=True, slots=True)
class SupplierConfig:
    """A connection as its protocol needs it: address, public settings, opened secrets."""

    supplier_id: int
    base_url: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought. `request_no` is our number, persisted before this is sent; `ref` and `options` are the supplier's."""

    request_no: str
    ref: str
    options: Mapping[str, Any]
    quantity: int
    account: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    contact: str = ""
    callback_url: str = ""


class SupplyState(StrEnum):
    """What a supplier says of a purchase."""

    DELIVERED = "delivered"
    PROCESSING = "processing"
    FAILED = "failed"  # it is over, nothing was delivered, the money is back
    UNKNOWN = "unknown"  # it has never heard of it


@dataclass(frozen=True, slots=True)
class Supplied:
    """A purchase as the supplier tells it, in answer to a question or in a verified callback. `cost` is fen for all of it."""

    state: SupplyState
    supplier_no: str = ""
    request_no: str = ""
    cards: Sequence[str] = field(default=(), repr=False)
    """The lines it gave. Whether they are what was bought is judged by who knows what was bought."""
    cost: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """Something a supplier sells. `price` is fen a piece, None when it does not say; so is `stock`."""

    ref: str
    title: str
    price: int | None
    stock: int | None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawReport:
    """A callback as it came in; header names in lower case."""

    body: bytes
    headers: Mapping[str, str]
    received_at: datetime


class SupplierApi(Protocol):
    """One protocol. Its methods take 10 seconds at most and raise the errors above."""

    protocol: ClassVar[str]
    setting_names: ClassVar[tuple[str, ...]]
    secret_names: ClassVar[tuple[str, ...]]
    calls_back: ClassVar[bool]
    most_request_no: ClassVar[int]
    """How long our number may be."""

    def __init__(self, config: SupplierConfig) -> None: ...

    def problems(self) -> list[str]:
        """What is missing or unsafe, in sentences; none for a sound connection."""
        ...

    def buy(self, purchase: Purchase) -> Supplied:
        """Buys, for the first time. Raises SupplierUnreachable (with `sent` False: certainly not bought), SupplierRefused."""
        ...

    def recover(self, purchase: Purchase) -> Supplied:
        """What became of a purchase whose answer never came; buys it if it certainly did not happen.

        However often it is called, the supplier ends up with one order of this request number. Raises SupplierUnreachable,
        SupplierRefused (certainly not bought), OutcomeUnknown.
        """
        ...

    def look(self, supplier_no: str) -> Supplied:
        """Asks about a purchase by the supplier's number. Raises SupplierUnreachable, SupplierRefused (it will not say)."""
        ...

    def items(self) -> list[Item]:
        """Everything the supplier sells us. Raises SupplierUnreachable, SupplierRefused."""
        ...

    def item(self, ref: str, options: Mapping[str, Any]) -> Item:
        """Price and stock of one item now. Raises SupplierUnreachable, SupplierRefused (it is not sold)."""
        ...

    def balance(self) -> int | None:
        """Fen we hold with the supplier; None when it does not say. Raises SupplierUnreachable, SupplierRefused."""
        ...

    def read_report(self, report: RawReport) -> Supplied:
        """A callback, verified. `path` is where it arrived. Raises ForgedReport."""
        ...

    def answer(self, *, taken: bool) -> Answer:
        """What a callback is answered."""
        ...
