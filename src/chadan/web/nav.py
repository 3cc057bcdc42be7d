"""The navigation, which adapts to the acting capacity."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class NavItem:
    """One place to go: label, address, icon (lucide's name), whether it is where we are, and a count worth showing."""

    label: str
    url: str
    icon: str
    active: bool = False
    count: int | None = None


Place = tuple[Promise, str, str, str]
"""Label, address, icon, and the permission it takes ("" for none)."""

_EXPORTS: Place = (_("Exports"), "/exports", "file-down", "export")
_IMPORT: Place = (_("Import"), "/m/import", "file-up", "import")
_KEYS: Place = (_("API keys"), "/keys", "key-round", "keys")
_LOOKUP: Place = (_("Look up an order"), "/lookup", "search", "")
_BUYER: tuple[Place, ...] = (
    (_("My orders"), "/orders", "shopping-bag", ""),
    (_("Ledger"), "/ledger", "book-open", ""),
    (_("Wallet"), "/wallet", "wallet", ""),
    _LOOKUP,
    _EXPORTS,
    _KEYS,
)
_MERCHANT: tuple[Place, ...] = (
    (_("Sales orders"), "/m/orders?view=sales", "receipt-text", ""),
    (_("Agent orders"), "/m/orders?view=agent", "handshake", ""),
    (_("Tags"), "/m/tags", "tags", ""),
    (_("My shop"), "/m/shop", "store", ""),
    (_("Products"), "/m/products", "package-search", "manage"),
    (_("Card stock"), "/m/stock", "layers", "manage"),
    (_("Deliveries"), "/m/deliveries", "truck", "deliver"),
    (_("Suppliers"), "/m/suppliers", "factory", "manage"),
    (_("Agents"), "/m/agents", "users", "manage"),
    (_("Payment channels"), "/m/channels", "credit-card", "channels"),
    (_("Refunds"), "/m/refunds", "undo-2", "refund"),
    (_("Money"), "/m/money", "landmark", "money"),
    (_("Batch actions"), "/m/batches", "list-checks", ""),
    _EXPORTS,
    _IMPORT,
    _KEYS,
)
_AGENT: tuple[Place, ...] = (
    _MERCHANT[0],
    (_("Purchases"), "/m/orders?view=purchases", "package", ""),
    *_MERCHANT[1:],
)
_OPERATOR: tuple[Place, ...] = (
    (_("All orders"), "/ops/orders", "receipt-text", ""),
    (_("What is stuck"), "/ops/stuck", "activity", ""),
    (_("Health"), "/ops/health", "heart-pulse", ""),
    (_("Money"), "/ops/money", "landmark", "money"),
    _EXPORTS,
    _IMPORT,
    _KEYS,
)
_GUEST: tuple[Place, ...] = (
    _LOOKUP,
    (_("Sign in"), "/accounts/login/", "log-in", ""),
    (_("Sign up"), "/accounts/signup/", "user-plus", ""),
)
_BY_KIND = {"buyer": _BUYER, "merchant": _MERCHANT, "agent": _AGENT, "operator": _OPERATOR}


def navigation(
    kind: str, address: str = "", permissions: Collection[str] | None = None, *, answered_only: bool = True
) -> list[NavItem]:
    """The places a capacity of `kind` (buyer, merchant, agent, operator; anything else is a guest) may go.

    `address` is the current path with its query; the item nearest to it is active. Places that need a permission not in
    `permissions` (None: everything) are left out, and so are places no view answers, unless `answered_only` is False.
    """
    items = [
        (str(label), url, icon)
        for label, url, icon, needs in _BY_KIND.get(kind, _GUEST)
        if (not needs or permissions is None or needs in permissions) and (not answered_only or _answered(url))
    ]
    here = _nearest([url for _, url, _ in items], address)
    return [NavItem(label, url, icon, active=url == here) for label, url, icon in items]


def _nearest(urls: list[str], address: str) -> str | None:
    path = urlsplit(address).path.rstrip("/") or "/"
    views = urlsplit(address).query.split("&")
    below = [
        url
        for url in urls
        if path == urlsplit(url).path.rstrip("/") or path.startswith(f"{urlsplit(url).path.rstrip('/')}/")
    ]
    return next((url for url in below if urlsplit(url).query in views), below[0] if below else None)


@cache
def _answered(url: str) -> bool:
    try:
        resolve(urlsplit(url).path)
    except Resolver404:
        return False
    return True
