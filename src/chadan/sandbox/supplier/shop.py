"""A supplier's shop: what it sells, what was ordered, our balance, and how it misbehaves on command."""

from __future__ import annotations

import secrets
import threading
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class SupplyFault(StrEnum):
    """What goes wrong. `value` means seconds where noted."""

    LATE = "late"  # the order is made and charged, then the answer takes `value` seconds and breaks off
    DEAF = "deaf"  # the call breaks off, and nothing was done
    REFUSE = "refuse"  # a definite no
    SOLD_OUT = "sold_out"
    SLOW = "slow"  # the order is worked at; `finish` or `value` seconds end it
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
    """Something the shop sells. `price` is fen."""

    id: int
    code: str
    title: str
    price: int
    stock: int
    card: bool = True


@dataclass(slots=True)
class Order:
    """An order somebody placed. `secret` is what was delivered."""

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


GOODS = (
    Good(1, "SBX-CARD-10", "沙盒点卡 10 元", 950, 100_000),
    Good(2, "SBX-VIDEO-MONTH", "沙盒视频会员 月卡", 1500, 100_000),
    Good(3, "SBX-TOPUP-100", "沙盒话费 100 元", 9850, 100_000, card=False),
)
APOLOGY = "很抱歉，有人在你付款之前抢走了商品，请联系客服。"


class NotSold(Exception):
    """The shop says no, in its own words."""


@dataclass(slots=True)
class Shop:
    """One protocol's shop."""

    protocol: str
    key_id: str = "7"
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    balance: int = 100_000_00
    goods: tuple[Good, ...] = GOODS
    orders: list[Order] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

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
        made = Order(10**17 + len(self.orders), request_no, good, quantity, amount, fields, callback_url)
        self.orders.append(made)
        return made

    def finish(self, order: Order, secret: str | None = None) -> None:
        """Delivers an order."""
        if order.done:
            return
        if secret is None:
            cards = [f"SBX{order.number}-{line:02d}-{secrets.token_hex(4)}" for line in range(order.quantity)]
            secret = "\n".join(cards) if order.good.card else "充值成功"
        order.secret, order.done = secret, True

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
                    "told": o.told,
                }
                for o in self.orders
            ],
        }
