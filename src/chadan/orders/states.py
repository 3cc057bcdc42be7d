"""The field's standard words and their codes in the database (DESIGN §3)."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Coded(StrEnum):
    """A word with a stable smallint code: its place in the class. Append only, never reorder."""

    @property
    def code(self) -> int:
        """The smallint stored in the database."""
        return _CODES[type(self)][self.value]

    @classmethod
    def of(cls, code: int) -> Self:
        """The word behind a stored code. Raises IndexError for a code nobody gave out."""
        return list(cls)[code]


class OrderStatus(Coded):
    """Where an order stands."""

    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"
    PROCESSING = "processing"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    AFTER_SALE = "after_sale"
    REFUNDED = "refunded"
    FAILED = "failed"


class Category(Coded):
    """The eight kinds of digital goods (nlq/SPEC §9)."""

    PHONE_TOPUP = "phone_topup"
    DATA_PLAN = "data_plan"
    GAME_CARD = "game_card"
    VIDEO_MEMBER = "video_member"
    MUSIC_MEMBER = "music_member"
    SOFTWARE_KEY = "software_key"
    GIFT_CARD = "gift_card"
    OTHER = "other"


class PaymentMethod(Coded):
    """How an order was paid."""

    ALIPAY = "alipay"
    WECHAT = "wechat"
    QQPAY = "qqpay"
    UNIONPAY = "unionpay"
    BANK = "bank"
    BALANCE = "balance"
    USDT = "usdt"


class PaymentStatus(Coded):
    """Where one payment stands."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    REFUNDED = "refunded"


class DeliveryKind(Coded):
    """How goods reach the buyer."""

    CARD = "card"
    TOPUP = "topup"
    MANUAL = "manual"


class DeliveryStatus(Coded):
    """Where one delivery stands."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


class RefundStatus(Coded):
    """Where one refund stands."""

    QUEUED = "queued"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"


class Escrow(Coded):
    """Where the buyer's money is (担保交易)."""

    NONE = "none"
    HELD = "held"
    RELEASED = "released"
    RETURNED = "returned"


class RefKind(Coded):
    """Whose number an external reference is; its code starts at 1 (schema.sql)."""

    UNUSED = "unused"
    PAYMENT = "payment"
    PAYMENT_OUT = "payment_out"
    SUPPLIER = "supplier"
    SOURCE = "source"
    PLACEMENT = "placement"
    SUPPLIER_REQUEST = "supplier_request"
    REFUND = "refund"


_CODES: dict[type[Coded], dict[str, int]] = {
    words: {word.value: code for code, word in enumerate(words)}
    for words in (
        OrderStatus,
        Category,
        PaymentMethod,
        PaymentStatus,
        DeliveryKind,
        DeliveryStatus,
        RefundStatus,
        Escrow,
        RefKind,
    )
}
