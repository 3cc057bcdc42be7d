"""A dujiao-next shop's upstream interface: signed JSON, orders found again by our number, callbacks over the constant path."""

from __future__ import annotations

import hmac
import json
import time
from typing import Any

from chadan.delivery.suppliers.dujiao import BASE, CALLBACK_PATH, WINDOW_SECONDS, signature
from chadan.sandbox.gateway.peer import yuan
from chadan.sandbox.notifying import deliver
from chadan.sandbox.supplier.faults import SupplyFaults
from chadan.sandbox.supplier.shop import APOLOGY, Good, NotSold, Order, Shop, SupplyFault, Work
from chadan.sandbox.wire import Outgoing, Request, Response, as_json


class DujiaoShop:
    """The shop's answers and callbacks."""

    def __init__(self, shop: Shop, faults: SupplyFaults, work: Work) -> None:
        self.shop = shop
        self._faults = faults
        self._work = work

    def handle(self, request: Request) -> Response:
        """One call under /supplier/dujiao/."""
        path = f"/{request.path}"
        if not path.startswith(BASE):
            return Response(404)
        if (problem := self._stranger(request, path)) is not None:
            return problem
        if self._faults.hit(SupplyFault.ERROR, "dujiao"):
            return Response(500, b"sandbox: told to fail")
        call = path.removeprefix(BASE)
        try:
            if request.method == "POST" and call == "/orders":
                return self._order(request.json())
            return self._read(request.method, call)
        except NotSold as no:
            return as_json({"ok": False, "error_code": "refused", "error_message": str(no)})

    def finish(self, order: Order, *, failed: bool = False) -> None:
        """Delivers a slow order, or ends it without goods, and reports it."""
        with self.shop.lock:
            (self.shop.fail if failed else self.shop.finish)(order)
        self.report(order)

    def report(self, order: Order) -> list[int]:
        """Sends the callback, twice where a fault says so, about another order where one does. Returns the statuses."""
        about = order
        if self._faults.hit(SupplyFault.WRONG_ORDER, "dujiao"):
            about = next((each for each in self.shop.orders if each is not order), order)
        copies = 2 if self._faults.hit(SupplyFault.DUPLICATE, "dujiao") else 1
        statuses = []
        event = "order.canceled" if about.failed else "order.fulfilled"
        for _copy in range(copies):
            body = json.dumps({"event": event, **_told(about), "timestamp": int(time.time())}).encode()
            stamp = str(int(time.time()))
            headers = {
                "Content-Type": "application/json",
                "Dujiao-Next-Api-Key": self.shop.key_id,
                "Dujiao-Next-Timestamp": stamp,
                "Dujiao-Next-Signature": signature(self.shop.key, "POST", CALLBACK_PATH, stamp, body),
            }
            status, _answer = deliver(Outgoing("POST", order.callback_url, body, headers))
            statuses.append(status)
            order.told += status == 200
        self.shop.keep(order)
        return statuses

    def _stranger(self, request: Request, path: str) -> Response | None:
        head = request.headers
        stamp = head.get("dujiao-next-timestamp", "")
        right = signature(self.shop.key, request.method, path, stamp, request.body)
        known = head.get("dujiao-next-api-key") == self.shop.key_id
        timely = stamp.isdecimal() and abs(time.time() - int(stamp)) <= WINDOW_SECONDS
        if known and timely and hmac.compare_digest(right, head.get("dujiao-next-signature", "")):
            return None
        return as_json({"ok": False, "error_code": "unauthorized", "error_message": "签名错误"}, 401)

    def _read(self, method: str, call: str) -> Response:
        if (method, call) == ("POST", "/ping"):
            return as_json({"ok": True, "site_name": "沙盒货源", "balance": yuan(self.shop.balance), "currency": "CNY"})
        if method == "GET" and call == "/products":
            goods = [_product(good) for good in self.shop.goods]
            return as_json({"ok": True, "items": goods, "total": len(goods), "page": 1, "page_size": 50})
        if method == "GET" and call.startswith("/products/"):
            return as_json({"ok": True, "product": _product(self.shop.good(call.removeprefix("/products/")))})
        if method == "GET" and call.startswith("/orders/"):
            order = self.shop.by_number(call.removeprefix("/orders/"))
            if order is None:
                return as_json({"ok": False, "error_code": "not_found", "error_message": "订单不存在"}, 404)
            return as_json({"ok": True, **_told(order)})
        return Response(404)

    def _order(self, wanted: dict[str, Any]) -> Response:
        if self._faults.hit(SupplyFault.DEAF, "dujiao"):
            return Response(hang_up=True)
        with self.shop.lock:
            order = self.shop.by_request(str(wanted.get("downstream_order_no", "")))
            if order is None:
                order = self._made(wanted)
        if late := self._faults.hit(SupplyFault.LATE, "dujiao"):
            time.sleep(late.value)
            return Response(hang_up=True)
        return as_json({"ok": True, **_told(order)})

    def _made(self, wanted: dict[str, Any]) -> Order:
        if self._faults.hit(SupplyFault.REFUSE, "dujiao"):
            raise NotSold("该商品暂停销售")
        if self._faults.hit(SupplyFault.SOLD_OUT, "dujiao"):
            raise NotSold("库存不足")
        good = self.shop.good(wanted.get("sku_id"))
        fields = {str(key): str(value) for key, value in (wanted.get("manual_form_data") or {}).items()}
        number, url = str(wanted.get("downstream_order_no", "")), str(wanted.get("callback_url", ""))
        order = self.shop.order(number, good, int(wanted.get("quantity", 0)), fields, url)
        if slow := self._faults.hit(SupplyFault.SLOW, "dujiao"):
            self._work(order, slow.value)
        elif fail := self._faults.hit(SupplyFault.FAIL, "dujiao"):
            self._work(order, fail.value or 1.0, fails=True)
        elif good.seconds:
            self._work(order, good.seconds, fails=good.cannot_reach(fields))
        else:
            apology = self._faults.hit(SupplyFault.APOLOGY, "dujiao")
            self.shop.finish(order, APOLOGY if apology else None)
        return order


def _told(order: Order) -> dict[str, Any]:
    status = "canceled" if order.failed else "delivered" if order.done else "fulfilling"
    filled = {"type": "auto", "status": status, "payload": order.secret, "delivery_data": {}} if order.done else None
    return {
        "order_id": order.number,
        "order_no": f"DJ{order.number}",
        "downstream_order_no": order.request_no,
        "status": status,
        "amount": yuan(order.amount),
        "currency": "CNY",
        "fulfillment": filled,
    }


def _product(good: Good) -> dict[str, Any]:
    sku = {"id": good.id, "sku_code": "", "price_amount": yuan(good.price), "stock_quantity": good.stock}
    return {"id": good.id, "title": {"zh-CN": good.title}, "price_amount": yuan(good.price), "skus": [sku]}
