"""The faults in force at the sandbox's suppliers."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import Any

from chadan.sandbox.supplier.shop import Standing, SupplyFault


class SupplyFaults:
    """Newest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing: list[Standing] = []

    def add(self, fault: Standing) -> None:
        """From now on."""
        with self._lock:
            self._standing.insert(0, fault)

    def clear(self) -> None:
        """Ends all."""
        with self._lock:
            self._standing.clear()

    def hit(self, kind: SupplyFault, protocol: str) -> Standing | None:
        """The fault of that kind that strikes here, counted."""
        with self._lock:
            for fault in self._standing:
                fits = fault.protocol in ("", protocol) and (fault.times == 0 or fault.hits < fault.times)
                if fault.kind is kind and fits:
                    fault.hits += 1
                    return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """For the control API."""
        with self._lock:
            return [asdict(fault) for fault in self._standing]
