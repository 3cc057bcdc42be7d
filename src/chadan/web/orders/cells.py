"""The rows of an order list. Plain Python: fifty rows of Jinja2 macro calls cost more than everything else on the page.

Components stay the templates' own: what a row holds of them (copy button, tick box, badges, tags) is drawn once a page and
passed in, the number in it replaced row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from markupsafe import Markup, escape

from chadan.orders.number import LENGTH
from chadan.orders.states import OrderStatus
from chadan.search.rows import OrderRow
from chadan.web.format import NONE, mask, money, order_no, when
from chadan.web.labels import label
from chadan.web.orders.state import ListState

PLACEHOLDER = "0" * LENGTH
"""Stands for a row's number in what is drawn once a page."""
Cell = Callable[[OrderRow], str]


def row_writer(
    heads: Iterable[Any],
    state: ListState,
    *,
    tick: str,
    copy: str,
    badges: Mapping[OrderStatus, str],
    tags: Mapping[int, str],
) -> Callable[[OrderRow], Markup]:
    """What draws one order as a `<tr>`.

    `heads` are the columns (key, label, kind); `tick` the tick box's cell (empty: none) and `copy` the copy button, both for
    PLACEHOLDER; `badges` by status and `tags` by tag id, drawn.
    """
    draw = _cells(state, copy, badges, tags)
    cells = [
        (f'<td class="c-{text(head.kind)}" data-label="{text(str(head.label))}">', draw.get(head.key, _nothing))
        for head in heads
    ]
    tick_before, tick_between, tick_after = _parted(tick, 2) if tick else ("", "", "")

    def write(row: OrderRow) -> Markup:
        number = row.number
        parts = [f'<tr data-open data-no="{number}">']
        if tick:
            parts += (tick_before, number, tick_between, number, tick_after)
        for opening, cell in cells:
            parts += (opening, cell(row), "</td>\n")
        parts.append("</tr>")
        return Markup("".join(parts))  # noqa: S704 - every text in it is escaped

    return write


@lru_cache(maxsize=8192)
def text(value: str) -> str:
    """`value` escaped; titles, names and labels repeat."""
    return str(escape(value))


def _parted(drawn: str, times: int) -> list[str]:
    parts = str(drawn).split(PLACEHOLDER)
    if len(parts) != times + 1:
        raise ValueError(f"{PLACEHOLDER} stands {len(parts) - 1} times in what was drawn, not {times} times")
    return parts


def _nothing(_row: OrderRow) -> str:
    return ""


def _cells(state: ListState, copy: str, badges: Mapping[OrderStatus, str], tags: Mapping[int, str]) -> dict[str, Cell]:
    copy_before, copy_after = _parted(copy, 1)
    link_before, _number, link_after = text(state.order_link(0)).partition(PLACEHOLDER)
    refunded, words, again = text(_("refunded")), {}, text(_("Buy again"))
    quote = f'<a href="{link_before}'

    def number(row: OrderRow) -> str:
        digits = row.number
        return (
            f'{quote}{digits}{link_after}" hx-boost="false" translate="no">{order_no(digits)}</a>'
            f"{copy_before}{digits}{copy_after}"
        )

    def product(row: OrderRow) -> str:
        title = text(row.title)
        many = f' <span class="muted">×{row.quantity}</span>' if row.quantity > 1 else ""
        return f'<span class="clip" title="{title}">{title}</span>{many}'

    def amount(row: OrderRow) -> str:
        shown = text(money(row.amount, row.currency))
        if row.refunded and row.refunded < row.paid:
            return f'{shown}<small class="muted"> {refunded} {text(money(row.refunded, row.currency))}</small>'
        return shown

    def named(word: Any) -> str:
        if word not in words:
            words[word] = text(label(word))
        return words[word]

    def pills(row: OrderRow) -> str:
        return "".join(f"{tags[tag]} " for tag in row.tags or () if tag in tags) or NONE

    def fen(name: str) -> Cell:
        return lambda row: text(money(getattr(row, name), row.currency))

    def moment(name: str) -> Cell:
        return lambda row: str(when(getattr(row, name)))

    return {
        "order_no": number,
        "product": product,
        "account": lambda row: _plain(mask(row.account) if row.account else NONE),
        "buyer": lambda row: _plain(row.buyer_name or mask(row.buyer_login)),
        "merchant": lambda row: text(row.merchant),
        "agent": lambda row: text(row.agent or NONE),
        "amount": amount,
        **{name: fen(name) for name in ("refunded", "cost", "profit", "face_value")},
        "quantity": lambda row: str(row.quantity),
        "status": lambda row: str(badges[row.status]),
        "payment_method": lambda row: named(row.payment_method) if row.payment_method else NONE,
        "platform": lambda row: text(_("Own shop") if row.platform == "shop" else row.platform or NONE),
        "category": lambda row: named(row.category),
        "supplier": lambda row: text(row.supplier or NONE),
        "source_order_no": lambda row: _plain(row.source_order_no or NONE),
        "tags": pills,
        "again": lambda row: f'<a href="/again/{row.number}" hx-boost="false">{again}</a>',
        **{name: moment(name) for name in ("placed_at", "paid_at", "delivered_at", "completed_at")},
    }


def _plain(shown: str) -> str:
    return f'<span translate="no">{escape(shown)}</span>'
