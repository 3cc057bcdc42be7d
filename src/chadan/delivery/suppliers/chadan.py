"""Another Chadan as supplier: the supply API (docs/reference/supply-api.md), and its callbacks signed as Standard Webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from chadan.delivery import webhook_signing
from chadan.delivery.suppliers.base import (
    Answer,
    ForgedReport,
    Item,
    Purchase,
    RawReport,
    Supplied,
    SupplierRefused,
    SupplyState,
)
from chadan.delivery.suppliers.calling import (
    Connection,
    call,
    count,
    fen,
    json_object,
    objects,
    refused,
    unreadable,
)
from chadan.platform.wording import gettext as _
from chadan.platform.wording import gettext_noop as N_  # noqa: N812 - the name gettext tools look for

BASE = "/api/v1/supply"
_STATES = {
    "delivered": SupplyState.DELIVERED,
    "completed": SupplyState.DELIVERED,
    "failed": SupplyState.FAILED,
    "refunded": SupplyState.FAILED,
    "cancelled": SupplyState.FAILED,
}
_UNDECIDED = frozenset({408, 409, 425, 429})
"""Statuses that decide nothing: the same question is asked again later."""


class Chadan(Connection):
    """One connection to a shop on another Chadan."""

    protocol: ClassVar[str] = "chadan"
    setting_names: ClassVar[tuple[str, ...]] = ("merchant",)
    secret_names: ClassVar[tuple[str, ...]] = ("api_key", "webhook_secret")
    calls_back: ClassVar[bool] = True
    most_request_no: ClassVar[int] = 64
    needed: ClassVar[Mapping[str, str]] = {
        "merchant": N_("Enter the shop's short name, as in its address."),
        "api_key": N_("Enter an API key with the scope supply."),
    }

    def buy(self, purchase: Purchase) -> Supplied:
        """Buys from our wallet there; our number is the Idempotency-Key."""
        wanted = {
            "product_id": purchase.ref,
            "quantity": purchase.quantity,
            "account": purchase.account,
            "fields": dict(purchase.fields),
            "your_order_no": purchase.request_no,
            "callback_url": purchase.callback_url,
        }
        return _told(self._ask("POST", "/orders", wanted, {"Idempotency-Key": purchase.request_no}))

    def recover(self, purchase: Purchase) -> Supplied:
        """Asks by our number; buys, under the same Idempotency-Key, when the shop never heard of it."""
        found = self._ask("GET", "/orders", query={"your_order_no": purchase.request_no, "merchant": self._shop})
        if not isinstance(found.get("data"), list):
            raise unreadable()
        rows = objects(found["data"])
        return _told(rows[0]) if rows else self.buy(purchase)

    def look(self, supplier_no: str) -> Supplied:
        """Asks by the shop's order number."""
        return _told(self._ask("GET", f"/orders/{quote(supplier_no, safe='')}"))

    def items(self) -> list[Item]:
        """What the shop opens to us, at our prices."""
        rows = self._ask("GET", "/products", query={"merchant": self._shop}).get("data")
        return [_item(one) for one in objects(rows)]

    def item(self, ref: str, options: Mapping[str, Any]) -> Item:  # noqa: ARG002 - the contract names it
        """One product."""
        for one in self.items():
            if one.ref == ref:
                return one
        raise SupplierRefused(_("The supplier does not sell this any more."))

    def balance(self) -> int | None:
        """Our wallet there."""
        rows = self._ask("GET", "/balance", query={"merchant": self._shop}).get("data")
        held = objects(rows)
        if not held:
            raise SupplierRefused(_("The supplier does not count us among its agents."))
        return fen(held[0].get("balance"))

    def read_report(self, report: RawReport) -> Supplied:
        """A callback, signed within five minutes."""
        secret = self.config.secrets.get("webhook_secret", "")
        if not secret or not webhook_signing.verified(
            secret, report.headers, report.body, report.received_at.timestamp()
        ):
            raise ForgedReport("bad signature")
        try:
            body = json.loads(report.body)
        except ValueError as error:
            raise ForgedReport("no JSON") from error
        if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
            raise ForgedReport("no order")
        return _told(body["data"])

    def answer(self, *, taken: bool) -> Answer:
        """204, or a 404 that says nothing."""
        return Answer(204 if taken else 404, "application/json", b"")

    @property
    def _shop(self) -> str:
        return self.config.settings.get("merchant", "")

    def _ask(
        self,
        method: str,
        path: str,
        wanted: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        key = self.secret("api_key")
        body = b"" if wanted is None else json.dumps(wanted, ensure_ascii=False).encode()
        sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **(headers or {})}
        url = self.config.base_url.rstrip("/") + BASE + path + (f"?{urlencode(query)}" if query else "")
        reply = call(method, url, body=body, headers=sent, may_refuse=True)
        found = json_object(reply)
        if reply.status in _UNDECIDED:
            raise unreadable()
        if reply.status >= 400:
            raise refused(found.get("detail"), self.config)
        return found


def _told(found: object) -> Supplied:
    if not isinstance(found, dict) or not found.get("order_no"):
        raise unreadable()
    state = _STATES.get(str(found.get("status")), SupplyState.PROCESSING)
    given = found.get("cards") or []
    if not isinstance(given, list):
        raise unreadable()
    cards = tuple(str(card) for card in given)
    return Supplied(
        state,
        supplier_no=str(found["order_no"]),
        request_no=str(found.get("your_order_no") or ""),
        cards=cards,
        cost=_kept(found),
        reason=str(found.get("reason") or ""),
    )


def _kept(found: dict[str, Any]) -> int | None:
    """What the shop charged and has not given back."""
    amount = fen(found.get("amount"))
    return amount if amount is None else max(0, amount - (fen(found.get("refunded")) or 0))


def _item(one: object) -> Item:
    if not isinstance(one, dict) or not one.get("product_id"):
        raise unreadable()
    stock = None if one.get("stock") is None else count(one["stock"])
    return Item(str(one["product_id"]), str(one.get("title") or "")[:200], fen(one.get("price")), stock)
