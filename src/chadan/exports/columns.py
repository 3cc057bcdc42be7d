"""The columns an order export can hold: heading, kind, who may take them, what masking hides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chadan.exports.kinds import Kind
from chadan.platform.errors import Forbidden, InvalidInput


class Column(StrEnum):
    """A column's stable name: in job records, URLs and Parquet files."""

    ORDER_NO = "order_no"
    PLACED_AT = "placed_at"
    STATUS = "status"
    PRODUCT = "product"
    BRAND = "brand"
    CATEGORY = "category"
    VARIANT = "variant"
    FACE_VALUE = "face_value"
    QUANTITY = "quantity"
    ACCOUNT = "account"
    BUYER = "buyer"
    AMOUNT = "amount"
    PAID = "paid"
    REFUNDED = "refunded"
    CURRENCY = "currency"
    PAYMENT_METHOD = "payment_method"
    MERCHANT = "merchant"
    AGENT = "agent"
    PLATFORM = "platform"
    ESCROW = "escrow"
    AFTER_SALE = "after_sale"
    PAID_AT = "paid_at"
    DELIVERED_AT = "delivered_at"
    COMPLETED_AT = "completed_at"
    REFUNDED_AT = "refunded_at"
    CANCELLED_AT = "cancelled_at"
    SOURCE_ORDER_NO = "source_order_no"
    PARENT_ORDER_NO = "parent_order_no"
    PAYMENT_NO = "payment_no"
    PAYMENT_OUT_NO = "payment_out_no"
    SUPPLIER = "supplier"
    SUPPLIER_NO = "supplier_no"
    COST = "cost"
    FEE = "fee"
    PROFIT = "profit"
    TAGS = "tags"
    NOTE = "note"


class Audience(StrEnum):
    """Who may take a column: everybody, the shop the order belongs to, or those of it who see cost or suppliers."""

    ALL = "all"
    SHOP = "shop"
    COST = "cost"
    SUPPLIER = "supplier"


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything about a column but its SQL (chadan.search.compiler_export); width is in characters."""

    header: Promise
    kind: Kind = Kind.TEXT
    audience: Audience = Audience.ALL
    masked: bool = False
    width: int = 14
    default: bool = False


SPECS: dict[Column, Spec] = {
    Column.ORDER_NO: Spec(_("Order number"), Kind.CODE, width=22, default=True),
    Column.PLACED_AT: Spec(_("Placed"), Kind.DATETIME, width=20, default=True),
    Column.STATUS: Spec(_("Status"), width=10, default=True),
    Column.PRODUCT: Spec(_("Product"), width=36, default=True),
    Column.BRAND: Spec(_("Brand")),
    Column.CATEGORY: Spec(_("Category"), default=True),
    Column.VARIANT: Spec(_("Variant")),
    Column.FACE_VALUE: Spec(_("Face value"), Kind.MONEY, width=12),
    Column.QUANTITY: Spec(_("Quantity"), Kind.INTEGER, width=8, default=True),
    Column.ACCOUNT: Spec(_("Account"), Kind.CODE, masked=True, width=18, default=True),
    Column.BUYER: Spec(_("Buyer"), masked=True, width=18, default=True),
    Column.AMOUNT: Spec(_("Amount"), Kind.MONEY, width=12, default=True),
    Column.PAID: Spec(_("Amount paid"), Kind.MONEY, width=12, default=True),
    Column.REFUNDED: Spec(_("Amount refunded"), Kind.MONEY, width=12, default=True),
    Column.CURRENCY: Spec(_("Currency"), width=8),
    Column.PAYMENT_METHOD: Spec(_("Payment method"), width=12, default=True),
    Column.MERCHANT: Spec(_("Merchant"), width=20),
    Column.AGENT: Spec(_("Agent"), width=20),
    Column.PLATFORM: Spec(_("Platform")),
    Column.ESCROW: Spec(_("Escrow")),
    Column.AFTER_SALE: Spec(_("Had after-sales"), width=10),
    Column.PAID_AT: Spec(_("Paid at"), Kind.DATETIME, width=20),
    Column.DELIVERED_AT: Spec(_("Delivered at"), Kind.DATETIME, width=20),
    Column.COMPLETED_AT: Spec(_("Completed at"), Kind.DATETIME, width=20),
    Column.REFUNDED_AT: Spec(_("Refunded at"), Kind.DATETIME, width=20),
    Column.CANCELLED_AT: Spec(_("Cancelled at"), Kind.DATETIME, width=20),
    Column.SOURCE_ORDER_NO: Spec(_("Source order number"), Kind.CODE, width=24),
    Column.PARENT_ORDER_NO: Spec(_("Agent's own order"), Kind.CODE, width=22),
    Column.PAYMENT_NO: Spec(_("Payment number"), Kind.CODE, width=32),
    Column.PAYMENT_OUT_NO: Spec(_("Merchant payment number"), Kind.CODE, width=28),
    Column.SUPPLIER: Spec(_("Supplier"), audience=Audience.SUPPLIER, width=18),
    Column.SUPPLIER_NO: Spec(_("Supplier number"), Kind.CODE, audience=Audience.SUPPLIER, width=24),
    Column.COST: Spec(_("Cost"), Kind.MONEY, audience=Audience.COST, width=12),
    Column.FEE: Spec(_("Fee"), Kind.MONEY, audience=Audience.COST, width=12),
    Column.PROFIT: Spec(_("Profit"), Kind.MONEY, audience=Audience.COST, width=12),
    Column.TAGS: Spec(_("Tags"), audience=Audience.SHOP, width=18),
    Column.NOTE: Spec(_("Notes"), audience=Audience.SHOP, width=36),
}


def allowed(audiences: Collection[Audience]) -> tuple[Column, ...]:
    """The columns open to somebody who belongs to these audiences."""
    return tuple(column for column, spec in SPECS.items() if spec.audience in audiences)


def defaults(open_columns: Sequence[Column]) -> tuple[Column, ...]:
    """What is ticked when nobody has chosen."""
    return tuple(column for column in open_columns if SPECS[column].default)


def chosen(names: Sequence[str], open_columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns named, once each, in the order given; the defaults when none is.

    Raises InvalidInput for a name that is no column, Forbidden for a column the role may not take.
    """
    columns: dict[Column, None] = {}
    for name in names:
        try:
            column = Column(name)
        except ValueError as error:
            sentence = gettext("There is no export column “%(name)s”.") % {"name": name[:60]}
            raise InvalidInput(sentence, field="columns") from error
        if column not in open_columns:
            raise Forbidden(gettext("Your role may not export “%(name)s”.") % {"name": SPECS[column].header})
        columns[column] = None
    return tuple(columns) or defaults(open_columns)
