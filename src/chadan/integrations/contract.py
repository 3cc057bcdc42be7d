"""What an importer is: it checks a file or folder and reads orders out of it, row by row, in Chadan's own words.

A new peer is one module with an `Importer`, added to `chadan.integrations.registry`. Importers know nothing of the
database; `chadan.integrations.importing` turns what they read into orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chadan.orders.states import Category, DeliveryKind, OrderStatus, PaymentMethod


@dataclass(frozen=True, slots=True)
class ParsedBuyer:
    """A buyer in the source. `account` is false for a guest, whose login is the contact left with the order."""

    login: str
    name: str = ""
    account: bool = True


@dataclass(frozen=True, slots=True)
class ParsedProduct:
    """A product in the source; money in fen."""

    ref: str
    title: str
    category: Category
    delivery_kind: DeliveryKind
    price: int = 0
    category_title: str = ""
    brand: str = ""
    variant: str = ""
    face_value: int | None = None


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """One order as the source has it: moments in seconds since 1970, money in fen.

    `source_merchant` is the merchant's id in the source, "" for the platform's own shop.
    """

    line: int
    number: str
    source_merchant: str
    merchant_name: str
    buyer: ParsedBuyer
    product: ParsedProduct
    quantity: int
    status: OrderStatus
    amount: int
    paid: int
    placed_at: int
    cost: int = 0
    fee: int = 0
    payment_method: PaymentMethod | None = None
    payment_name: str = ""
    account: str = ""
    contact: str = ""
    ip: str = ""
    paid_at: int | None = None
    delivered_at: int | None = None
    completed_at: int | None = None
    cancelled_at: int | None = None
    cards: tuple[str, ...] = ()
    failure: str = ""
    note: str = ""

    @property
    def moments(self) -> list[int]:
        """Every moment the source tells, the placing first."""
        told = (self.placed_at, self.paid_at, self.delivered_at, self.completed_at, self.cancelled_at)
        return [moment for moment in told if moment is not None]

    @property
    def earliest(self) -> int:
        """The first of them; clocks of gateways differ, so it may lie a little before the placing."""
        return min(self.moments)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that cannot be imported. `source_merchant` is None when the row does not even tell whose it is."""

    line: int
    number: str
    reason: str
    source_merchant: str | None = None


class Importer(Protocol):
    """Reads the orders of one kind of shop."""

    @property
    def name(self) -> str:
        """How the command line and reports call it."""

    def check(self, path: Path) -> None:
        """Raises InvalidInput, in one sentence, when nothing can be read from `path` at all."""

    def read(self, path: Path, now: int) -> Iterator[ParsedOrder | Rejection]:
        """Every row of the source, good or not, as seen at `now` (seconds since 1970)."""

    def merchants(self, path: Path) -> dict[str, str]:
        """The source's merchants: id and name."""
