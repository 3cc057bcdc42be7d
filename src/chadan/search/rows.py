"""One order as a list shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from chadan.orders import number
from chadan.orders.states import Category, DeliveryKind, Escrow, OrderStatus, PaymentMethod

_STATUS = tuple(OrderStatus)
_CATEGORY = tuple(Category)
_METHOD = tuple(PaymentMethod)
_ESCROW = tuple(Escrow)
_DELIVERY = tuple(DeliveryKind)
_STATUS_TEXT = tuple(word.value for word in OrderStatus)
_CATEGORY_TEXT = tuple(word.value for word in Category)
_METHOD_TEXT = tuple(word.value for word in PaymentMethod)
_ESCROW_TEXT = tuple(word.value for word in Escrow)


def money(fen: int) -> str:
    """Fen as a decimal string: 5000 → "50.00"."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"


class OrderRow(NamedTuple):
    """A row of `compiler.ROW_COLUMNS`; money in fen, codes resolved by the properties."""

    order_no: int
    home: int
    merchant_id: int
    buyer_id: int
    agent_id: int | None
    parent_order_no: int | None
    version_id: int
    category_code: int
    face_value: int | None
    quantity: int
    status_code: int
    has_after_sale: bool
    amount: int
    paid: int
    refunded: int
    cost: int
    fee: int
    currency: str
    payment_code: int | None
    platform: str
    supplier_id: int | None
    escrow_code: int
    account: str
    note: str | None
    source_order_no: str | None
    tags: list[int] | None
    paid_at: datetime | None
    delivered_at: datetime | None
    completed_at: datetime | None
    refunded_at: datetime | None
    cancelled_at: datetime | None
    updated_at: datetime
    product_id: int
    title: str
    brand: str
    category_title: str
    variant: str
    delivery_code: int
    buyer_login: str
    buyer_name: str
    merchant: str
    merchant_slug: str
    agent: str | None
    supplier: str | None

    @property
    def number(self) -> str:
        """The order number as shown: 19 digits."""
        return number.text(self.order_no)

    @property
    def placed_at(self) -> datetime:
        """When it was placed, Asia/Shanghai."""
        return number.placed_at(self.order_no)

    @property
    def status(self) -> OrderStatus:
        """Where it stands."""
        return _STATUS[self.status_code]

    @property
    def category(self) -> Category:
        """What kind of goods."""
        return _CATEGORY[self.category_code]

    @property
    def payment_method(self) -> PaymentMethod | None:
        """How it was paid, None while it is not."""
        return None if self.payment_code is None else _METHOD[self.payment_code]

    @property
    def escrow(self) -> Escrow:
        """Where the buyer's money is."""
        return _ESCROW[self.escrow_code]

    @property
    def delivery_kind(self) -> DeliveryKind:
        """How the goods reach the buyer."""
        return _DELIVERY[self.delivery_code]

    @property
    def buyer(self) -> str:
        """The buyer's name, or the login of one without a name."""
        return self.buyer_name or self.buyer_login

    @property
    def profit(self) -> int:
        """Fen kept: paid − refunded − cost; 0 while unpaid."""
        return self.paid - self.refunded - self.cost if self.paid_at is not None else 0


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(number.SHANGHAI).isoformat()


def _placed(order_no: int) -> str:
    """`placed_at` of an order number as ISO text, by arithmetic: a page makes 50 of them."""
    day, second = order_no // 10**13, order_no // 10**8 % 100_000
    minute = second // 60
    return (
        f"20{day // 10000:02d}-{day // 100 % 100:02d}-{day % 100:02d}"
        f"T{minute // 60:02d}:{minute % 60:02d}:{second % 60:02d}+08:00"
    )


def row_dict(row: OrderRow) -> dict[str, Any]:
    """The order as JSON-ready data: numbers and ids as text, money as decimal strings, times as ISO 8601 (+08:00)."""
    return {
        "order_no": f"{row[0]:019d}",
        "placed_at": _placed(row[0]),
        "status": _STATUS_TEXT[row.status_code],
        "has_after_sale": row.has_after_sale,
        "merchant": row.merchant,
        "agent": row.agent,
        "buyer": row.buyer_name or row.buyer_login,
        "product": row.title,
        "brand": row.brand,
        "category": _CATEGORY_TEXT[row.category_code],
        "variant": row.variant,
        "face_value": None if row.face_value is None else money(row.face_value),
        "quantity": row.quantity,
        "amount": money(row.amount),
        "paid": money(row.paid),
        "refunded": money(row.refunded),
        "currency": row.currency,
        "payment_method": None if row.payment_code is None else _METHOD_TEXT[row.payment_code],
        "platform": row.platform,
        "escrow": _ESCROW_TEXT[row.escrow_code],
        "account": row.account,
        "supplier": row.supplier,
        "source_order_no": row.source_order_no,
        "parent_order_no": None if row.parent_order_no is None else f"{row.parent_order_no:019d}",
        "paid_at": _moment(row.paid_at),
        "delivered_at": _moment(row.delivered_at),
        "completed_at": _moment(row.completed_at),
        "refunded_at": _moment(row.refunded_at),
        "cancelled_at": _moment(row.cancelled_at),
        "updated_at": _moment(row.updated_at),
    }
