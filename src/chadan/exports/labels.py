"""Headings and words of an export in its own language."""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import override

from chadan.exports.columns import SPECS, Column
from chadan.orders.states import Category, Escrow, OrderStatus, PaymentMethod
from chadan.search.compiler_export import Labels
from chadan.web.labels import label


def labels_in(language: str) -> Labels:
    """The words behind the codes in `language`."""
    with override(language):
        return Labels(
            status=_words(OrderStatus),
            category=_words(Category),
            payment_method=_words(PaymentMethod),
            escrow=_words(Escrow),
            yes_no=(_("yes"), _("no")),
        )


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
