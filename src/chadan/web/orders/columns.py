"""The columns an order list can show, per area, and which of them a visitor chose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chadan.accounts.actors import Actor
from chadan.platform.scope import Matter
from chadan.web.orders.areas import Area


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` is its name in the URL and the macro that draws its cell.

    `folded_in` names the areas whose list is too full to show it unasked.
    """

    key: str
    label: Promise
    default: bool = True
    numeric: bool = False
    sort: str = ""
    folded_in: tuple[str, ...] = ()


_ALL = (
    Column("order_no", _("Order number")),
    Column("product", _("Product")),
    Column("account", _("Account")),
    Column("merchant", _("Merchant")),
    Column("buyer", _("Buyer"), folded_in=("operator",)),
    Column("agent", _("Agent"), default=False),
    Column("amount", _("Amount"), numeric=True, sort="amount"),
    Column("quantity", _("Quantity"), default=False, numeric=True),
    Column("face_value", _("Face value"), default=False, numeric=True),
    Column("refunded", _("Refunded amount"), default=False, numeric=True),
    Column("cost", _("Cost"), default=False, numeric=True),
    Column("profit", _("Profit"), default=False, numeric=True),
    Column("status", _("Status")),
    Column("payment_method", _("Payment"), default=False),
    Column("platform", _("Channel"), default=False),
    Column("category", _("Category"), default=False),
    Column("supplier", _("Supplier"), default=False),
    Column("source_order_no", _("Source order number"), default=False),
    Column("tags", _("Tags"), default=False),
    Column("placed_at", _("Placed"), sort="placed_at"),
    Column("paid_at", _("Paid at"), default=False, sort="paid_at"),
    Column("delivered_at", _("Delivered at"), default=False),
    Column("completed_at", _("Completed at"), default=False),
    Column("again", _("Buy again")),
)
_ALWAYS = frozenset({"order_no"})


def available(area: Area, actor: Actor, view: str | None) -> list[Column]:
    """The columns this role may see here."""
    hidden: set[str] = set()
    if area.kind == "buyer":
        hidden |= {"buyer", "agent", "cost", "profit", "supplier", "tags", "source_order_no"}
    else:
        hidden.add("again")
    if area.kind == "merchant":
        hidden |= {"merchant"} if view != "purchases" else {"buyer", "cost", "profit", "supplier", "tags", "agent"}
        if view == "sales":
            hidden.add("agent")
    if not actor.scope.may_ask(Matter.COST, view):
        hidden |= {"cost", "profit"}
    if not actor.scope.may_ask(Matter.SUPPLIER, view):
        hidden.add("supplier")
    return [column for column in _ALL if column.key not in hidden]


def _cookie(area: Area) -> str:
    return f"chadan_cols_{area.kind}"


def chosen(
    request: HttpRequest, area: Area, columns: list[Column], view: str | None, named: Iterable[str]
) -> list[Column]:
    """The columns to show: those `named` by the list, else the remembered ones, else the defaults (always with the number)."""
    wanted = list(named) or request.COOKIES.get(_cookie(area), "").split(".")
    keys = set(_split(wanted)) & {column.key for column in columns}
    if keys:
        return [column for column in columns if column.key in keys | _ALWAYS]
    return [column for column in columns if _is_default(column, area, view)]


def _is_default(column: Column, area: Area, view: str | None) -> bool:
    if area.kind in column.folded_in:
        return False
    return column.default or (column.key == "agent" and view == "agent")


def remember(request: HttpRequest, area: Area) -> tuple[str, str] | None:
    """The cookie (name, value) that keeps a choice made in this request's URL."""
    keys = _split(request.GET.getlist("column"))
    known = {column.key for column in _ALL}
    return (_cookie(area), ".".join(key for key in keys if key in known)) if keys else None


def _split(values: Iterable[str]) -> list[str]:
    return [key for value in values for key in value.replace(",", ".").split(".") if key]
