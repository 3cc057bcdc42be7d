"""/_control: what tests, the demo and curious people tell the sandbox to do, as JSON.

GET ""                what it is: addresses, counts, faults
GET "payments"        payments, filtered by `protocol` and `out_no`
GET "channels"        the settings and secrets a shop needs, by protocol
POST "pay"            {"out_no", "protocol"?}: the buyer pays
POST "close"          {"out_no", "protocol"?}: the buyer gives up
POST "refund"         {"out_no", "amount", "request_no"?}: money sent back from the gateway's own back office
POST "retry"          {"out_no", "protocol"?}: the callback once more, now
POST "faults"         {"kind", "value"?, "protocol"?, "out_no"?, "operation"?, "times"?}
DELETE "faults"       ends them, or those of `protocol` or `out_no` in the query

A page of another origin cannot use it: changes need a JSON content type, and the Host must be this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from chadan.sandbox.faults import Fault, FaultKind
from chadan.sandbox.gateway.peer import Peer, World
from chadan.sandbox.notifying import Notifier
from chadan.sandbox.payments import Payment, Refused
from chadan.sandbox.wire import Request, Response, as_json


class Control:
    """The control API."""

    def __init__(
        self, world: World, peers: Mapping[str, Peer], notifier: Notifier, paid: Callable[[Payment], None]
    ) -> None:
        self._world = world
        self._peers = peers
        self._notifier = notifier
        self._paid = paid
        self._acts: dict[tuple[str, str], Callable[[Request], object]] = {
            ("GET", ""): self._overview,
            ("GET", "payments"): self._payments,
            ("GET", "channels"): self._channels,
            ("POST", "pay"): self._pay,
            ("POST", "close"): self._close,
            ("POST", "refund"): self._refund,
            ("POST", "retry"): self._retry,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
        }

    def handle(self, request: Request) -> Response:
        """Answers one call."""
        act = self._acts.get((request.method, request.path.strip("/")))
        if act is None:
            return as_json({"error": "no such call"}, 404)
        if request.method == "POST" and "application/json" not in request.headers.get("content-type", ""):
            return as_json({"error": "send JSON"}, 415)
        try:
            return as_json(act(request))
        except LookupError as error:
            return as_json({"error": str(error.args[0])}, 404)
        except (ValueError, TypeError, Refused) as error:
            return as_json({"error": str(error)}, 400)

    def _overview(self, _request: Request) -> object:
        return {
            "url": self._world.url,
            "protocols": sorted(self._peers),
            "payments": len(self._world.payments.every()),
            "callbacks_waiting": self._notifier.waiting(),
            "faults": self._world.faults.listed(),
        }

    def _payments(self, request: Request) -> object:
        wanted = request.fields()
        return [
            {**asdict(payment), "cashier": self._world.cashier(payment)}
            for payment in self._world.payments.every()
            if wanted.get("protocol") in (None, payment.protocol) and wanted.get("out_no") in (None, payment.out_no)
        ]

    def _channels(self, _request: Request) -> object:
        found = {}
        for protocol, peer in self._peers.items():
            settings, secrets = peer.channel()
            found[protocol] = {"settings": settings, "secrets": secrets}
        return found

    def _pay(self, request: Request) -> object:
        payment = self._named(request.json())
        self._paid(payment)
        return {"state": payment.state, "txn_no": payment.txn_no}

    def _close(self, request: Request) -> object:
        payment = self._named(request.json())
        self._world.payments.close(payment)
        return {"state": payment.state}

    def _refund(self, request: Request) -> object:
        said = request.json()
        payment = self._named(said)
        number = str(said.get("request_no") or f"office-{len(payment.refunds)}")
        self._world.payments.refund(payment, number, int(said["amount"]))
        if payment.protocol == "alipay":
            self._notifier.tell(payment)
        return {"state": payment.state, "refunded": payment.refunded}

    def _retry(self, request: Request) -> object:
        payment = self._named(request.json())
        self._notifier.tell_now(payment)
        return {"told": payment.told[-1:]}

    def _add_fault(self, request: Request) -> object:
        said = request.json()
        protocol, out_no, operation = (str(said.get(name, "")) for name in ("protocol", "out_no", "operation"))
        value, times = float(said.get("value", 0)), int(said.get("times", 0))
        fault = Fault(FaultKind(str(said.get("kind"))), value, protocol, out_no, operation, times)
        self._world.faults.add(fault)
        return {"faults": self._world.faults.listed()}

    def _clear_faults(self, request: Request) -> object:
        wanted = request.fields()
        self._world.faults.clear(wanted.get("protocol", ""), wanted.get("out_no", ""))
        return {"faults": self._world.faults.listed()}

    def _named(self, said: Mapping[str, Any]) -> Payment:
        """The payment a call names. Raises LookupError when there is none, or more than one protocol has it."""
        out_no = str(said.get("out_no", ""))
        protocols = [str(said["protocol"])] if "protocol" in said else list(self._peers)
        found = [payment for name in protocols if (payment := self._world.payments.find(name, out_no))]
        if len(found) != 1:
            raise LookupError(
                f"{len(found)} payments have the number {out_no!r}: name the protocol, or visit its page first"
            )
        return found[0]
