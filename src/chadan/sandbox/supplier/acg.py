"""An acg-faka shop, as its /shared/ interface answers: signed forms in, {code, msg, data} out, 200 is yes and 0 is no."""

from __future__ import annotations

import time
from typing import Any

from chadan.delivery.suppliers.acg import sign
from chadan.sandbox.gateway.peer import yuan
from chadan.sandbox.supplier.faults import SupplyFaults
from chadan.sandbox.supplier.shop import APOLOGY, Good, NotSold, Order, Shop, SupplyFault, Work
from chadan.sandbox.wire import Request, Response, as_json

_SKU = "sku["
_OWN = frozenset(
    {"shared_code", "contact", "num", "card_id", "device", "password", "race", "sku", "request_no", "app_id", "app_key"}
)
"""What the protocol sends with every order; the rest is what the buyer typed."""


class AcgShop:
    """The shop's answers."""

    def __init__(self, shop: Shop, faults: SupplyFaults, work: Work) -> None:
        self.shop = shop
        self._faults = faults
        self._work = work

    def handle(self, request: Request) -> Response:
        """One call under /supplier/acg/."""
        fields = _nested(request.fields())
        given = fields.pop("sign", "")
        if str(fields.get("app_key")) != self.shop.key or str(fields.get("app_id")) != self.shop.key_id:
            return _no("商户不存在或密钥错误")
        if sign(fields, self.shop.key) != given:
            return _no("签名错误")
        call = request.path.removeprefix("shared/")
        answer = _CALLS.get(call)
        if answer is None:
            return Response(404)
        if self._faults.hit(SupplyFault.ERROR, "acg"):
            return Response(500, b"sandbox: told to fail")
        try:
            return answer(self, fields)
        except NotSold as no:
            return _no(str(no))

    def finish(self, order: Order, *, failed: bool = False) -> None:
        """Delivers a slow order. The protocol has no word for one that ends without goods. Raises NotSold."""
        if failed:
            raise NotSold("an acg-faka shop cannot fail an order it has taken")
        with self.shop.lock:
            self.shop.finish(order)

    def _connect(self, _fields: dict[str, Any]) -> Response:
        return _yes({"shopName": "沙盒货源", "balance": yuan(self.shop.balance)})

    def _items(self, _fields: dict[str, Any]) -> Response:
        return _yes([{"id": 1, "name": "沙盒", "children": [_item(good) for good in self.shop.goods]}])

    def _item(self, fields: dict[str, Any]) -> Response:
        return _yes(_item(self.shop.good(fields.get("code"))))

    def _stock(self, fields: dict[str, Any]) -> Response:
        good = self.shop.good(fields.get("code"))
        return _yes({"stock": 0 if self._faults.hit(SupplyFault.SOLD_OUT, "acg") else good.stock})

    def _trade(self, fields: dict[str, Any]) -> Response:
        if self._faults.hit(SupplyFault.DEAF, "acg"):
            return Response(hang_up=True)
        request_no = str(fields.get("request_no", ""))
        if not 0 < len(request_no) <= 19:
            return _no("request_no 格式错误")
        with self.shop.lock:
            if self._faults.hit(SupplyFault.REFUSE, "acg"):
                return _no("该商品暂停销售")
            if self._faults.hit(SupplyFault.SOLD_OUT, "acg"):
                return _no("库存不足")
            if self.shop.by_request(request_no):
                return _no("The request ID already exists")
            good = self.shop.good(fields.get("shared_code"))
            known = {key: str(value) for key, value in fields.items()}
            typed = {key: text for key, text in known.items() if key not in _OWN}
            if self._faults.hit(SupplyFault.FAIL, "acg") or good.cannot_reach(typed):
                return _no("充值失败：运营商无此号码")
            order = self.shop.order(request_no, good, int(fields.get("num", 0)), known)
            if slow := self._faults.hit(SupplyFault.SLOW, "acg"):
                self._work(order, slow.value)
            elif good.seconds:
                self._work(order, good.seconds)
            else:
                apology = self._faults.hit(SupplyFault.APOLOGY, "acg")
                self.shop.finish(order, APOLOGY if apology else None)
        if late := self._faults.hit(SupplyFault.LATE, "acg"):
            time.sleep(late.value)
            return Response(hang_up=True)
        return _yes({**_told(order), "tradeNo": str(order.number), "amount": yuan(order.amount), "stock": good.stock})

    def _query(self, fields: dict[str, Any]) -> Response:
        order = self.shop.by_number(str(fields.get("tradeNo", "")))
        return _no("订单不存在") if order is None else _yes({**_told(order), "status": 1, "widget": []})


_CALLS = {
    "authentication/connect": AcgShop._connect,  # noqa: SLF001 - the class's own table
    "commodity/items": AcgShop._items,  # noqa: SLF001
    "commodity/item": AcgShop._item,  # noqa: SLF001
    "commodity/stock": AcgShop._stock,  # noqa: SLF001
    "commodity/trade": AcgShop._trade,  # noqa: SLF001
    "commodity/query": AcgShop._query,  # noqa: SLF001
}


def _told(order: Order) -> dict[str, Any]:
    return {"secret": order.secret or None, "url": "", "leave_message": ""}


def _item(good: Good) -> dict[str, Any]:
    return {
        "code": good.code,
        "name": good.title,
        "price": yuan(good.price),
        "user_price": yuan(good.price),
        "stock": good.stock,
    }


def _nested(fields: dict[str, str]) -> dict[str, Any]:
    """PHP's `sku[色]=红` as {"sku": {"色": "红"}}."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name.startswith(_SKU) and name.endswith("]"):
            found.setdefault("sku", {})[name[len(_SKU) : -1]] = value
        else:
            found[name] = value
    return found


def _yes(data: object) -> Response:
    return as_json({"code": 200, "msg": "success", "data": data})


def _no(words: str) -> Response:
    return as_json({"code": 0, "msg": words})
