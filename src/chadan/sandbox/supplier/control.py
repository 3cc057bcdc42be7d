"""Routes the suppliers' calls, and what tests and the demo tell them to do."""

from __future__ import annotations

from chadan.sandbox.supplier.acg import AcgShop
from chadan.sandbox.supplier.dujiao import DujiaoShop
from chadan.sandbox.supplier.faults import SupplyFaults
from chadan.sandbox.supplier.shop import Shop, Standing, SupplyFault
from chadan.sandbox.wire import Request, Response, as_json


class Desk:
    """The suppliers behind one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.faults = SupplyFaults()
        self.acg = AcgShop(Shop("acg"), self.faults)
        self.dujiao = DujiaoShop(Shop("dujiao", key_id="sandbox"), self.faults)

    def handle(self, request: Request) -> Response:
        """A call under /supplier/."""
        first, _, rest = request.path.partition("/")
        inner = Request(request.method, rest, request.query, request.body, request.headers, request.target)
        if first == "acg":
            return self.acg.handle(inner)
        if first == "dujiao":
            return self.dujiao.handle(inner)
        if first == "_control":
            return self._control(inner)
        return Response(404, b"sandbox: no such supplier")

    def _control(self, request: Request) -> Response:
        if request.method == "GET":
            return as_json({"url": self.url, "faults": self.faults.listed(), **self._shops()})
        if request.method == "DELETE":
            self.faults.clear()
            return as_json({"faults": []})
        if "json" not in request.headers.get("content-type", ""):  # a page of another origin cannot send this
            return Response(415)
        said = request.json()
        if request.path == "faults":
            kind, value = SupplyFault(str(said.get("kind"))), float(said.get("value", 0))
            self.faults.add(Standing(kind, value, str(said.get("protocol", "")), int(said.get("times", 0))))
            return as_json({"faults": self.faults.listed()})
        if request.path == "finish":
            return self._finish(str(said.get("protocol", "")), str(said.get("order", "")))
        return Response(404)

    def _finish(self, protocol: str, number: str) -> Response:
        shop = (self.dujiao if protocol == "dujiao" else self.acg).shop
        order = shop.by_number(number) or shop.by_request(number)
        if order is None:
            return Response(404, b"sandbox: no such order")
        if protocol == "dujiao":
            self.dujiao.finish(order)
        else:
            with shop.lock:
                shop.finish(order)
        return as_json({"done": True, "told": order.told})

    def _shops(self) -> dict[str, object]:
        return {"acg": self.acg.shop.shown(), "dujiao": self.dujiao.shop.shown()}
