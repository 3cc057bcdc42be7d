"""Headings and words of an export in its own language."""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import override

from chadan.exports.columns import SPECS, Column
from chadan.orders.states import Category, Escrow, OrderStatus, PaymentMethod
from chadan.web.labels import label


def words_in(language: str) -> dict[Column, tuple[str, ...]]:
    """The words behind the codes of the columns that hold codes, in `language`, by code."""
    with override(language):
        return {
            Column.STATUS: _words(OrderStatus),
            Column.CATEGORY: _words(Category),
            Column.PAYMENT_METHOD: _words(PaymentMethod),
            Column.ESCROW: _words(Escrow),
            Column.AFTER_SALE: (_("no"), _("yes")),
        }


def headers_in(language: str, columns: tuple[Column, ...]) -> list[str]:
    """The columns' headings in `language`."""
    with override(language):
        return [str(SPECS[column].header) for column in columns]


def title_in(language: str) -> str:
    """The name of the workbook's sheet in `language`."""
    with override(language):
        return _("Orders")


def _words(words: type[StrEnum]) -> tuple[str, ...]:
    return tuple(label(word) for word in words)
