"""dujiao-next's upstream interface (P3): JSON under /api/v1/upstream, signed with HMAC-SHA256 over method, path, time and body.

Sending a purchase again with the same number answers the order it made, so an unknown outcome is recovered by repeating. Callbacks
are signed over one constant path, wherever they arrive.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from chadan.delivery.suppliers.base import (
    Answer,
    ForgedReport,
    Item,
    OutcomeUnknown,
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
    lines,
    objects,
    refused,
    unreadable,
)
from chadan.platform.wording import gettext as _
from chadan.platform.wording import gettext_noop as N_  # noqa: N812 - the name gettext tools look for

BASE = "/api/v1/upstream"
CALLBACK_PATH = f"{BASE}/callback"
WINDOW_SECONDS = 60
_PAGE = 50
_MOST_PAGES = 100
_DELIVERED = frozenset({"delivered", "completed", "fulfilled"})
_OVER = frozenset({"canceled", "cancelled", "refunded"})


def signature(secret: str, method: str, path: str, stamp: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over method, path, time and md5hex(body), a line each; the query string is not signed."""
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return hmac.new(secret.encode(), f"{method}\n{path}\n{stamp}\n{digest}".encode(), "sha256").hexdigest()


class Dujiao(Connection):
    """One connection to a dujiao-next shop."""

    protocol: ClassVar[str] = "dujiao"
    setting_names: ClassVar[tuple[str, ...]] = ("api_key",)
    secret_names: ClassVar[tuple[str, ...]] = ("api_secret",)
    calls_back: ClassVar[bool] = True
    most_request_no: ClassVar[int] = 64
    needed: ClassVar[Mapping[str, str]] = {
        "api_key": N_("Enter the API key."),
        "api_secret": N_("Enter the API secret."),
    }

    def buy(self, purchase: Purchase) -> Supplied:
        """Buys with the balance held there."""
        sku = purchase.ref
        wanted = {
            "sku_id": int(sku) if sku.isdecimal() else sku,
            "quantity": purchase.quantity,
            "manual_form_data": dict(purchase.fields),
            "downstream_order_no": purchase.request_no,
            "trace_id": purchase.request_no,
            "callback_url": purchase.callback_url,
        }
        found = self._ask("POST", "/orders", wanted)
        supplier_no = str(found.get("order_id") or "")
        if not supplier_no:
            raise unreadable()
        return _told(found, supplier_no, purchase.request_no)

    def recover(self, purchase: Purchase) -> Supplied:
        """Sends the purchase again: the answer is the order it made before, or the one it makes now."""
        try:
            return self.buy(purchase)
        except SupplierRefused as error:  # the shop may look at its stock before it looks for our number
            raise OutcomeUnknown(
                _("The supplier may have delivered already: %(words)s") % {"words": error.message}
            ) from error

    def look(self, supplier_no: str) -> Supplied:
        """Asks by the shop's order id."""
        return _told(self._ask("GET", f"/orders/{quote(supplier_no, safe='')}"), supplier_no)

    def items(self) -> list[Item]:
        """Every SKU of every product."""
        found: list[Item] = []
        for page in range(1, _MOST_PAGES + 1):
            answer = self._ask("GET", "/products", query=f"page={page}&page_size={_PAGE}")
            rows = objects(answer.get("items", answer.get("products")))
            for product in rows:
                found.extend(self._skus(product))
            if len(rows) < _PAGE:
                break
        return found

    def item(self, ref: str, options: Mapping[str, Any]) -> Item:
        """One SKU. `options` names its product."""
        product = str(options.get("product_id") or "")
        if product:
            answer = self._ask("GET", f"/products/{product}")
            for one in self._skus(answer.get("product", answer)):
                if one.ref == ref:
                    return one
        else:
            for one in self.items():
                if one.ref == ref:
                    return one
        raise SupplierRefused(_("The supplier does not sell this any more."))

    def balance(self) -> int | None:
        """Our balance, as a ping tells it."""
        return fen(self._ask("POST", "/ping").get("balance"))

    def read_report(self, report: RawReport) -> Supplied:
        """A callback: our key, our secret's signature over the constant path, within a minute."""
        head = report.headers
        stamp, said = head.get("dujiao-next-timestamp", ""), head.get("dujiao-next-signature", "")
        secret = self.config.secrets.get("api_secret", "")
        if not secret or head.get("dujiao-next-api-key", "") != self.config.settings.get("api_key"):
            raise ForgedReport("another key")
        if (
            not stamp.isdecimal()
            or len(stamp) > 12
            or abs(report.received_at.timestamp() - int(stamp)) > WINDOW_SECONDS
        ):
            raise ForgedReport("too old")
        if not hmac.compare_digest(
            signature(secret, "POST", CALLBACK_PATH, stamp, report.body).encode(), said.encode()
        ):
            raise ForgedReport("bad signature")
        try:
            body = json.loads(report.body)
        except ValueError as error:
            raise ForgedReport("no JSON") from error
        if not isinstance(body, dict) or not body.get("order_id"):
            raise ForgedReport("no order")
        return _told(body, str(body["order_id"]))

    def answer(self, *, taken: bool) -> Answer:
        """200 and ok, or a 404 that says nothing."""
        body = b'{"ok":true}' if taken else b'{"ok":false}'
        return Answer(200 if taken else 404, "application/json", body)

    def _skus(self, product: object) -> list[Item]:
        if not isinstance(product, dict):
            raise unreadable()
        title, product_id = _text(product.get("title")), product.get("id")
        made = []
        for sku in objects(product.get("skus")):
            name = _text(sku.get("sku_code") or sku.get("name") or "")
            stock = (
                None
                if sku.get("stock_quantity", sku.get("stock")) in (-1, None)
                else count(sku.get("stock_quantity", sku.get("stock")))
            )
            price = fen(sku.get("price_amount", sku.get("price", product.get("price"))))
            made.append(
                Item(str(sku.get("id")), f"{title} {name}".strip()[:200], price, stock, {"product_id": product_id})
            )
        return made

    def _ask(self, method: str, path: str, wanted: Mapping[str, Any] | None = None, query: str = "") -> dict[str, Any]:
        secret = self.secret("api_secret")
        body = b"" if wanted is None else json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Dujiao-Next-Api-Key": self.config.settings.get("api_key", ""),
            "Dujiao-Next-Timestamp": stamp,
            "Dujiao-Next-Signature": signature(secret, method, BASE + path, stamp, body),
        }
        url = self.config.base_url.rstrip("/") + BASE + path + (f"?{query}" if query else "")
        found = json_object(call(method, url, body=body, headers=headers, may_refuse=True))
        if found.get("ok") is not True:
            raise refused(found.get("error_message") or found.get("message") or found.get("error"), self.config)
        return found


def _text(value: object) -> str:
    """A title: a text, or texts by language."""
    if isinstance(value, dict):
        value = value.get("zh-CN") or value.get("zh") or next(iter(value.values()), "")
    return str(value or "")


def _told(found: Mapping[str, Any], supplier_no: str, request_no: str = "") -> Supplied:
    """An order as the shop writes it."""
    request_no = str(found.get("downstream_order_no") or request_no)
    filled = found.get("fulfillment")
    filled = filled if isinstance(filled, dict) else {}
    status, cost = str(found.get("status") or ""), fen(found.get("amount"))
    if status in _OVER:
        return Supplied(SupplyState.FAILED, supplier_no, request_no, reason=_("The supplier cancelled the order."))
    if status in _DELIVERED or filled.get("status") in _DELIVERED:
        return Supplied(SupplyState.DELIVERED, supplier_no, request_no, lines(filled.get("payload")), cost)
    return Supplied(SupplyState.PROCESSING, supplier_no, request_no, cost=cost)
