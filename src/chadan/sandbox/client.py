"""A sandbox from the outside: for tests, the demo and whoever scripts it."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit


class SandboxError(RuntimeError):
    """The sandbox said no; the text is its own."""


class Sandbox:
    """Talks to the control API of the sandbox at `url`, and plays the buyer's browser."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def channel(self, protocol: str) -> tuple[dict[str, str], dict[str, str]]:
        """(settings, secrets) of a payment channel that uses the sandbox's gateway."""
        found = self._ask("GET", "channels")[protocol]
        return found["settings"], found["secrets"]

    def visit(self, url: str) -> str:
        """Opens a payment's address as the buyer's browser does; returns where it leads (the cashier's page)."""
        status, location, body = self._call("GET", url)
        if status == 303:
            return location
        if status != 200:
            raise SandboxError(body.decode(errors="replace"))
        return url

    def pay(self, out_no: str, protocol: str = "") -> None:
        """The buyer pays; the callback is on its way when this returns."""
        self._ask("POST", "pay", self._named(out_no, protocol))

    def close(self, out_no: str, protocol: str = "") -> None:
        """The buyer gives up."""
        self._ask("POST", "close", self._named(out_no, protocol))

    def refund(self, out_no: str, amount: int, protocol: str = "") -> None:
        """Sends `amount` fen back from the gateway's own back office."""
        self._ask("POST", "refund", {**self._named(out_no, protocol), "amount": amount})

    def retry(self, out_no: str, protocol: str = "") -> None:
        """Sends the callback once more, and waits for the answer."""
        self._ask("POST", "retry", self._named(out_no, protocol))

    def fault(
        self,
        kind: str,
        value: float = 0.0,
        *,
        protocol: str = "",
        out_no: str = "",
        operation: str = "",
        times: int = 0,
    ) -> None:
        """From now on misbehave so (`chadan.sandbox.faults.FaultKind`); `times` 0 lasts until `clear`."""
        self._ask(
            "POST",
            "faults",
            {
                "kind": kind,
                "value": value,
                "protocol": protocol,
                "out_no": out_no,
                "operation": operation,
                "times": times,
            },
        )

    def clear(self, *, protocol: str = "", out_no: str = "") -> None:
        """Ends the faults."""
        self._ask("DELETE", f"faults?{urlencode({'protocol': protocol, 'out_no': out_no})}")

    def payment(self, out_no: str, protocol: str = "") -> dict[str, Any]:
        """The payment as the gateway has it, with every callback it sent. Raises SandboxError when there is none."""
        found = self._ask("GET", f"payments?{urlencode(self._named(out_no, protocol))}")
        if not found:
            raise SandboxError(f"no payment {out_no}")
        payment: dict[str, Any] = found[0]
        return payment

    def suppliers(self) -> dict[str, dict[str, Any]]:
        """The suppliers by protocol: `key_id`, `key`, `goods`, `orders`, `balance`."""
        shown = self._ask("GET", "", part="supplier/_control")
        return {protocol: shown[protocol] for protocol in ("acg", "dujiao")}

    def supply_fault(self, kind: str, value: float = 0.0, *, protocol: str = "", times: int = 0) -> None:
        """From now on suppliers misbehave so (`chadan.sandbox.supplier.shop.SupplyFault`); `times` 0 lasts until `supply_clear`."""
        said = {"kind": kind, "value": value, "protocol": protocol, "times": times}
        self._ask("POST", "/faults", said, part="supplier/_control")

    def supply_clear(self) -> None:
        """Ends the suppliers' faults."""
        self._ask("DELETE", "/faults", part="supplier/_control")

    def supply_finish(self, protocol: str, order: str, *, failed: bool = False) -> None:
        """Ends an order that is worked at; `order` is the supplier's number or ours."""
        said = {"protocol": protocol, "order": order, "failed": failed}
        self._ask("POST", "/finish", said, part="supplier/_control")

    def overview(self) -> dict[str, Any]:
        """Addresses, counts and faults."""
        found: dict[str, Any] = self._ask("GET", "")
        return found

    @staticmethod
    def _named(out_no: str, protocol: str) -> dict[str, Any]:
        return {"out_no": out_no, **({"protocol": protocol} if protocol else {})}

    def _ask(self, method: str, path: str, said: dict[str, Any] | None = None, part: str = "_control/") -> Any:
        status, _, body = self._call(method, f"{self.url}/{part}{path}", said)
        if status != 200:
            raise SandboxError(body.decode(errors="replace"))
        return json.loads(body)

    @staticmethod
    def _call(method: str, url: str, said: dict[str, Any] | None = None) -> tuple[int, str, bytes]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            body = None if said is None else json.dumps(said)
            connection.request(method, target, body, {"Content-Type": "application/json"} if said is not None else {})
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Location", ""), answer.read()
        finally:
            connection.close()
