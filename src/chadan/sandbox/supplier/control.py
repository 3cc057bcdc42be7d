"""Routes the suppliers' calls, and what tests and the demo tell them to do."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

from chadan.sandbox.journal import Journal
from chadan.sandbox.supplier.acg import AcgShop
from chadan.sandbox.supplier.dujiao import DujiaoShop
from chadan.sandbox.supplier.faults import SupplyFaults
from chadan.sandbox.supplier.shop import NotSold, Order, Shop, Standing, SupplyFault
from chadan.sandbox.wire import Request, Response, as_json


class Desk:
    """The suppliers behind one address. What they sold is kept in `folder`; orders that were worked at go on after a restart."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.faults = SupplyFaults()
        self._timers: list[threading.Timer] = []
        self._journal = Journal(folder / "suppliers.jsonl")
        kept = self._journal.read()
        keys = {line["protocol"]: str(line["key"]) for line in kept if "key" in line}
        acg = Shop("acg", self._journal, key=keys.get("acg", ""))
        dujiao = Shop("dujiao", self._journal, key_id="sandbox", key=keys.get("dujiao", ""))
        self.acg = AcgShop(acg, self.faults, partial(self._work, acg))
        self.dujiao = DujiaoShop(dujiao, self.faults, partial(self._work, dujiao))
        shops = {shop.protocol: shop for shop in (acg, dujiao)}
        latest = {(line["protocol"], line["order"]["number"]): line["order"] for line in kept if "order" in line}
        for (protocol, _number), order in latest.items():
            shops[protocol].remember(order)
        self._journal.begin(
            line
            for shop in shops.values()
            for line in ({"protocol": shop.protocol, "key": shop.key}, *map(shop.line, shop.orders))
        )
        for shop in shops.values():
            for order in shop.orders:
                if order.due_at and not order.over:
                    self._ends(shop, order)

    def shut(self) -> None:
        """Stops working and closes the file."""
        for timer in self._timers:
            timer.cancel()
        self._journal.shut()

    def _work(self, shop: Shop, order: Order, seconds: float, *, fails: bool = False) -> None:
        shop.begin(order, seconds, fails=fails)
        if seconds:
            self._ends(shop, order)

    def _ends(self, shop: Shop, order: Order) -> None:
        """Ends an order when it is due."""
        end = self.dujiao.finish if shop.protocol == "dujiao" else self.acg.finish
        timer = threading.Timer(max(order.due_at - time.time(), 0.0), end, (order,), {"failed": order.fails})
        timer.daemon = True
        self._timers = [each for each in self._timers if each.is_alive()] + [timer]
        timer.start()

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
            return self._finish(
                str(said.get("protocol", "")), str(said.get("order", "")), failed=bool(said.get("failed"))
            )
        return Response(404)

    def _finish(self, protocol: str, number: str, *, failed: bool) -> Response:
        speaker = self.dujiao if protocol == "dujiao" else self.acg
        order = speaker.shop.by_number(number) or speaker.shop.by_request(number)
        if order is None:
            return Response(404, b"sandbox: no such order")
        try:
            speaker.finish(order, failed=failed)
        except NotSold as no:
            return as_json({"error": str(no)}, 400)
        return as_json({"done": order.done, "failed": order.failed, "told": order.told})

    def _shops(self) -> dict[str, object]:
        return {"acg": self.acg.shop.shown(), "dujiao": self.dujiao.shop.shown()}
