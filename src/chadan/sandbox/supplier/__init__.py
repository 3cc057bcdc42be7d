"""Suppliers on loopback that speak their real protocols: /supplier/acg/…, /supplier/dujiao/…, told what to do at /supplier/_control.

GET  _control              what is sold, what was ordered, credentials by protocol
POST _control/faults       {"kind", "value"?, "protocol"?, "times"?}; DELETE ends them
POST _control/finish       {"protocol", "order"}: a slow order is done now, and its callback sent
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from chadan.sandbox.supplier.control import Desk
from chadan.sandbox.wire import Handler


def routes(folder: Path, url: str) -> Mapping[str, Handler]:  # noqa: ARG001 - suppliers keep nothing over a restart
    """The suppliers' handler, for the sandbox's server (chadan.sandbox.server)."""
    return {"supplier": Desk(f"{url}/supplier").handle}
