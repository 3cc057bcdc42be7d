"""A supplier's shop: what it sells, what was ordered, our balance, and how it misbehaves on command."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol

from chadan.sandbox.journal import Journal
from chadan.sandbox.payments import now


class SupplyFault(StrEnum):
    """What goes wrong. `value` means seconds where noted."""

    LATE = "late"  # the order is made and charged, then the answer takes `value` seconds and breaks off
    DEAF = "deaf"  # the call breaks off, and nothing was done
    REFUSE = "refuse"  # a definite no
    SOLD_OUT = "sold_out"
    SLOW = "slow"  # the order is worked at; `finish` or `value` seconds end it
    FAIL = "fail"  # dujiao: the order is taken, and cancelled after `value` seconds (1 by default); acg refuses it
    APOLOGY = "apology"  # delivered, with an apology where the card would be
    WRONG_ORDER = "wrong_order"  # the callback reports on another order of ours
    DUPLICATE = "duplicate"  # callbacks are sent twice
    ERROR = "error"  # status 500


@dataclass(slots=True)
class Standing:
    """One fault in force; `times` 0 means until it is ended, "" means every protocol."""

    kind: SupplyFault
    value: float = 0.0
    protocol: str = ""
    times: int = 0
    hits: int = 0


@dataclass(frozen=True, slots=True)
class Good:
    """Something the shop sells. `price` is fen; `seconds` how long the shop works at an order of it."""

    id: int
    code: str
    title: str
    price: int
    stock: int
    card: bool = True
    seconds: float = 0.0

    def cannot_reach(self, fields: Mapping[str, str]) -> bool:
        """Whether a top-up that takes its time fails: the sandbox's operators know no account that ends in 0000."""
        return bool(self.seconds) and any(text.endswith(NO_SUCH_ACCOUNT) for text in fields.values())


@dataclass(slots=True)
class Order:
    """An order somebody placed. `secret` is what was delivered; a failed one's money is back. `due_at` is a Unix time."""

    number: int
    request_no: str
    good: Good
    quantity: int
    amount: int
    fields: dict[str, str]
    callback_url: str = ""
    done: bool = False
    secret: str = ""
    told: int = 0
    failed: bool = False
    fails: bool = False
    due_at: float = 0.0

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.done or self.failed


GOODS = (
    Good(1, "SBX-CARD-10", "沙盒点卡 10 元", 950, 100_000),
    Good(2, "SBX-VIDEO-MONTH", "沙盒视频会员 月卡", 1500, 100_000),
    Good(3, "SBX-TOPUP-100", "沙盒话费 100 元", 9850, 100_000, card=False),
    Good(4, "SBX-TOPUP-50", "沙盒话费 50 元", 4900, 100_000, card=False, seconds=6),
)
NO_SUCH_ACCOUNT = "0000"
BALANCE = 100_000_00
APOLOGY = "很抱歉，有人在你付款之前抢走了商品，请联系客服。"


class Work(Protocol):
    """What a shop does with an order that takes its time."""

    def __call__(self, order: Order, seconds: float, *, fails: bool = False) -> None:
        """Works at it for `seconds` (0: until somebody ends it); then it is done, or `fails`."""


class NotSold(Exception):
    """The shop says no, in its own words."""


class Shop:
    """One protocol's shop. Who changes it holds its lock."""

    def __init__(self, protocol: str, journal: Journal, *, key_id: str = "7", key: str = "") -> None:
        self.protocol = protocol
        self.key_id = key_id
        self.key = key or secrets.token_hex(16)
        self.balance = BALANCE
        self.goods = GOODS
        self.orders: list[Order] = []
        self.lock = threading.Lock()
        self._journal = journal

    def remember(self, kept: Mapping[str, Any]) -> None:
        """Takes up an order as `keep` last wrote it."""
        order = Order(**{**kept, "good": self.good(kept["good"])})
        self.orders.append(order)
        self.balance -= 0 if order.failed else order.amount

    def keep(self, order: Order) -> None:
        """Writes how an order stands now."""
        self._journal.write(self.line(order))

    def line(self, order: Order) -> dict[str, Any]:
        """An order for the journal."""
        return {"protocol": self.protocol, "order": {**asdict(order), "good": order.good.id}}

    def good(self, word: object) -> Good:
        """By id or code. Raises NotSold."""
        for each in self.goods:
            if str(word) in (str(each.id), each.code):
                return each
        raise NotSold("商品不存在")

    def by_request(self, request_no: str) -> Order | None:
        """The order of our number."""
        return next((order for order in self.orders if order.request_no == request_no), None)

    def by_number(self, number: str) -> Order | None:
        """The order of its own number."""
        return next((order for order in self.orders if str(order.number) == number), None)

    def order(
        self, request_no: str, good: Good, quantity: int, fields: dict[str, str], callback_url: str = ""
    ) -> Order:
        """Takes the money and makes the order. Raises NotSold. The caller holds the lock."""
        amount = good.price * quantity
        if quantity < 1 or quantity > good.stock:
            raise NotSold("库存不足")
        if amount > self.balance:
            raise NotSold("余额不足")
        self.balance -= amount
        made = Order(self._number(), request_no, good, quantity, amount, fields, callback_url)
        self.orders.append(made)
        self.keep(made)
        return made

    def _number(self) -> int:
        """The next order's: 18 digits that begin with the time, as real shops have them, so that no other sandbox had it before."""
        last = max((order.number for order in self.orders), default=0)
        return max(last + 1, int(f"{now():%Y%m%d%H%M%S}") * 10_000 + secrets.randbelow(10_000))

    def begin(self, order: Order, seconds: float, *, fails: bool = False) -> None:
        """Works at an order for so long; 0: until somebody ends it."""
        order.due_at, order.fails = time.time() + seconds if seconds else 0.0, fails
        self.keep(order)

    def fail(self, order: Order) -> None:
        """Ends an order without goods; its money goes back."""
        if not order.over:
            order.failed = True
            self.balance += order.amount
            self.keep(order)

    def finish(self, order: Order, secret: str | None = None) -> None:
        """Delivers an order."""
        if order.over:
            return
        if secret is None:
            cards = [f"SBX{order.number}-{line:02d}-{secrets.token_hex(4)}" for line in range(order.quantity)]
            secret = "\n".join(cards) if order.good.card else "充值成功"
        order.secret, order.done = secret, True
        self.keep(order)

    def shown(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "key_id": self.key_id,
            "key": self.key,
            "balance": self.balance,
            "goods": [asdict(good) for good in self.goods],
            "orders": [
                {
                    "number": str(o.number),
                    "request_no": o.request_no,
                    "code": o.good.code,
                    "done": o.done,
                    "failed": o.failed,
                    "told": o.told,
                }
                for o in self.orders
            ],
        }
