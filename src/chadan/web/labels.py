"""The field's standard words in the reader's language, and the colour each status wears."""

from __future__ import annotations

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chadan.orders.states import (
    Category,
    DeliveryKind,
    DeliveryStatus,
    Escrow,
    OrderStatus,
    PaymentMethod,
    PaymentStatus,
)

LABELS: dict[type[StrEnum], dict[str, Promise | str]] = {
    OrderStatus: {
        OrderStatus.PENDING_PAYMENT: _("Unpaid"),
        OrderStatus.PAID: _("Paid"),
        OrderStatus.PROCESSING: _("Processing"),
        OrderStatus.DELIVERED: _("Delivered"),
        OrderStatus.COMPLETED: _("Completed"),
        OrderStatus.CANCELLED: _("Cancelled"),
        OrderStatus.AFTER_SALE: _("After-sales"),
        OrderStatus.REFUNDED: _("Refunded"),
        OrderStatus.FAILED: _("Top-up failed"),
    },
    Category: {
        Category.PHONE_TOPUP: _("Phone top-up"),
        Category.DATA_PLAN: _("Data plan"),
        Category.GAME_CARD: _("Game card"),
        Category.VIDEO_MEMBER: _("Video membership"),
        Category.MUSIC_MEMBER: _("Music membership"),
        Category.SOFTWARE_KEY: _("Software key"),
        Category.GIFT_CARD: _("Gift card"),
        Category.OTHER: _("Other"),
    },
    PaymentMethod: {
        PaymentMethod.ALIPAY: _("Alipay"),
        PaymentMethod.WECHAT: _("WeChat Pay"),
        PaymentMethod.QQPAY: _("QQ Wallet"),
        PaymentMethod.UNIONPAY: _("UnionPay"),
        PaymentMethod.BANK: _("Bank card"),
        PaymentMethod.BALANCE: _("Balance"),
        PaymentMethod.USDT: "USDT",
    },
    PaymentStatus: {
        PaymentStatus.PENDING: _("Awaiting payment"),
        PaymentStatus.SUCCESS: _("Payment received"),
        PaymentStatus.FAILED: _("Payment failed"),
        PaymentStatus.REFUNDED: _("Payment refunded"),
    },
    DeliveryKind: {
        DeliveryKind.CARD: _("Card"),
        DeliveryKind.TOPUP: _("Direct top-up"),
        DeliveryKind.MANUAL: _("Delivered by hand"),
    },
    DeliveryStatus: {
        DeliveryStatus.WAITING: _("Waiting for delivery"),
        DeliveryStatus.SENDING: _("Sending"),
        DeliveryStatus.DELIVERED: _("Arrived"),
        DeliveryStatus.FAILED: _("Delivery failed"),
    },
    Escrow: {
        Escrow.NONE: _("No escrow"),
        Escrow.HELD: _("Held in escrow"),
        Escrow.RELEASED: _("Released to the merchant"),
        Escrow.RETURNED: _("Returned to the buyer"),
    },
}
"""Every word a page shows, by class: members of two classes may be equal strings."""

TONES: dict[type[StrEnum], dict[str, str]] = {
    OrderStatus: {
        OrderStatus.PENDING_PAYMENT: "amber",
        OrderStatus.PAID: "blue",
        OrderStatus.PROCESSING: "blue",
        OrderStatus.DELIVERED: "green",
        OrderStatus.COMPLETED: "green",
        OrderStatus.CANCELLED: "grey",
        OrderStatus.AFTER_SALE: "amber",
        OrderStatus.REFUNDED: "red",
        OrderStatus.FAILED: "red",
    },
    PaymentStatus: {
        PaymentStatus.PENDING: "amber",
        PaymentStatus.SUCCESS: "green",
        PaymentStatus.FAILED: "red",
        PaymentStatus.REFUNDED: "red",
    },
    DeliveryStatus: {
        DeliveryStatus.WAITING: "amber",
        DeliveryStatus.SENDING: "blue",
        DeliveryStatus.DELIVERED: "green",
        DeliveryStatus.FAILED: "red",
    },
    Escrow: {Escrow.HELD: "blue", Escrow.RELEASED: "green", Escrow.RETURNED: "red"},
}
"""Green done, blue under way, amber waiting for somebody, grey closed, red only failure and refund."""


def label(word: StrEnum) -> str:
    """`word` in the active language. Raises KeyError for a word of an unknown class."""
    return str(LABELS[type(word)][word.value])


def tone(word: StrEnum) -> str:
    """The colour `word` wears: green, blue, amber, grey or red."""
    return TONES.get(type(word), {}).get(word.value, "grey")
