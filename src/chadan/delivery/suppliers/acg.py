"""acg-faka's shared shop (P1): form posts to {domain}/shared/…, signed with an MD5 over the sorted fields and the key.

It knows no callbacks and no question by our number. Its shops refuse a request number they have seen, whatever came of it, so a
repeated purchase never buys twice; what it refuses on a repeat proves nothing, and a person has to look (OutcomeUnknown).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

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

_OK = 200
_CONTACT = "13800000000"
"""acg-faka wants a contact of every order; the buyer's own is nobody else's business."""

Fields = Mapping[str, Any]


def sign(fields: Fields, key: str) -> str:
    """The signature of a form: its fields but `sign` by name, empty ones left out, `k=v` joined by `&`, `&key=` at the end."""
    parts: list[str] = []
    for name in sorted(fields):
        value = fields[name]
        if name == "sign" or value is None or value in ("", {}, []):
            continue
        if isinstance(value, Mapping):
            parts.extend(f"{name}[{inner}]={text}" for inner, text in value.items())
        else:
            parts.append(f"{name}={value}")
    text = "&".join(parts) + f"&key={key}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Acg(Connection):
    """One connection to an acg-faka shop."""

    protocol: ClassVar[str] = "acg"
    setting_names: ClassVar[tuple[str, ...]] = ("app_id",)
    secret_names: ClassVar[tuple[str, ...]] = ("app_key",)
    calls_back: ClassVar[bool] = False
    most_request_no: ClassVar[int] = 19
    needed: ClassVar[Mapping[str, str]] = {
        "app_id": N_("Enter the merchant number (app_id)."),
        "app_key": N_("Enter the key (app_key)."),
    }

    def buy(self, purchase: Purchase) -> Supplied:
        """Buys with the balance held there."""
        data = self._ask("commodity/trade", self._trade(purchase))
        supplier_no = str(data.get("tradeNo") or "")
        if not supplier_no:
            raise unreadable()
        return _told(data, supplier_no, purchase.request_no)

    def recover(self, purchase: Purchase) -> Supplied:
        """Sends the same request number again: it buys if the first one never arrived, and is refused if it did."""
        try:
            return self.buy(purchase)
        except SupplierRefused as error:
            raise OutcomeUnknown(
                _("The supplier may have delivered already: %(words)s") % {"words": error.message}
            ) from error

    def look(self, supplier_no: str) -> Supplied:
        """Asks by the shop's own number."""
        data = self._ask("commodity/query", {"tradeNo": supplier_no})
        return _told(data, supplier_no, "", done=str(data.get("status", 1)) == "1")

    def items(self) -> list[Item]:
        """The shop's category tree, flattened."""
        found: list[Item] = []
        for category in objects(self._data("commodity/items", {})):
            found.extend(self._item(one) for one in objects(category.get("children")) if one.get("code"))
        return found

    def item(self, ref: str, options: Mapping[str, Any]) -> Item:
        """One product, with the stock of its chosen race."""
        one = self._item(self._ask("commodity/item", {"code": ref}) | {"code": ref})
        wanted = {"code": ref, "race": options.get("race", ""), "sku": options.get("sku") or {}}
        stock = count(self._ask("commodity/stock", wanted).get("stock"))
        if options.get("race") or options.get("sku"):
            price = fen(self._ask("commodity/valuation", {**wanted, "num": 1}).get("price"))
            return Item(one.ref, one.title, price, stock, dict(options))
        return Item(one.ref, one.title, one.price, stock, dict(options))

    def balance(self) -> int | None:
        """Our balance at the shop."""
        return fen(self._ask("authentication/connect", {}).get("balance"))

    def read_report(self, report: RawReport) -> Supplied:  # noqa: ARG002 - the contract names it
        """Nobody reports in this protocol."""
        raise ForgedReport("this protocol has no callbacks")

    def answer(self, *, taken: bool) -> Answer:
        """What a caller who cannot be this supplier hears."""
        return Answer(200 if taken else 404, "application/json", b"{}")

    def _trade(self, purchase: Purchase) -> dict[str, Any]:
        return {
            **purchase.fields,
            "shared_code": purchase.ref,
            "contact": purchase.contact or _CONTACT,
            "num": purchase.quantity,
            "card_id": 0,
            "device": 0,
            "password": "",
            "race": purchase.options.get("race", ""),
            "sku": purchase.options.get("sku") or {},
            "request_no": purchase.request_no,
        }

    def _item(self, one: Fields) -> Item:
        price = fen(one.get("user_price", one.get("factory_price", one.get("price"))))
        return Item(str(one["code"]), str(one.get("name") or one["code"])[:200], price, count(one.get("stock")))

    def _ask(self, path: str, fields: Fields) -> dict[str, Any]:
        data = self._data(path, fields)
        if not isinstance(data, dict):
            raise unreadable()
        return data

    def _data(self, path: str, fields: Fields) -> Any:
        key = self.secret("app_key")
        form = {**fields, "app_id": self.config.settings.get("app_id", ""), "app_key": key}
        form["sign"] = sign(form, key)
        flat: dict[str, Any] = {}
        for name, value in form.items():
            flat |= (
                {f"{name}[{inner}]": text for inner, text in value.items()}
                if isinstance(value, dict)
                else {name: value}
            )
        url = f"{self.config.base_url.rstrip('/')}/shared/{path}"
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Accept": "application/json"}
        found = json_object(call("POST", url, body=urlencode(flat).encode(), headers=headers))
        if "code" not in found:
            raise unreadable()
        if str(found["code"]) != str(_OK):
            raise refused(found.get("msg"), self.config)
        return found.get("data")


def _told(data: Fields, supplier_no: str, request_no: str, *, done: bool = True) -> Supplied:
    """A purchase as the shop writes it: what it delivered, if anything, is one text."""
    cards = lines(data.get("secret"))
    state = SupplyState.DELIVERED if cards and done else SupplyState.PROCESSING
    return Supplied(state, supplier_no, request_no, cards if done else (), fen(data.get("amount")))
