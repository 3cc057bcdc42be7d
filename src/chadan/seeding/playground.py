"""The demo's sandbox of gateways and suppliers: where it listens, what the shops get from it, and the program that keeps it running."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chadan.platform.errors import ConfigError
from chadan.platform.processes import Program
from chadan.sandbox.client import Sandbox
from chadan.sandbox.server import SandboxServer
from chadan.seeding import living, supplies, tills
from chadan.seeding.people import read_file, write_file

ABOVE = 90
"""The sandbox's port above the site's, where it is free."""


def settle_playground(file: Path, site: str, folder: Path) -> Program:
    """Gives the demo's shops channels to a sandbox, wallets, living orders and suppliers, and notes it all in `file`.

    A second start finds everything again; the sandbox may have moved to another port. `site` is the demo's address as this
    machine reaches it, `folder` the sandbox's. Returns the program that serves the sandbox from now on. Raises ConfigError
    when another sandbox uses the folder.
    """
    known = read_file(file)
    try:
        server = SandboxServer(folder, _port(known, urlsplit(site).port or 80))
    except BlockingIOError as error:
        raise ConfigError("Another sandbox uses this CHADAN_DATA.", hint="Stop it first.") from error
    with server:
        sandbox = Sandbox(server.url)
        tills.settle_tills(sandbox)
        tills.settle_wallets()
        tills.settle_agent()
        if "living_orders" not in known:
            known["living_orders"] = living.settle_living(sandbox, site)
        supplies.settle_supplies(sandbox)
    known["sandbox"] = {
        "url": server.url,
        "control": f"{server.url}/_control/",
        "suppliers": f"{server.url}/supplier/_control",
    }
    known["shops"] = [{"slug": slug, "url": f"{known['url'].rstrip('/')}/s/{slug}"} for slug in tills.OPEN_SHOPS]
    write_file(file, known)
    port = str(urlsplit(server.url).port)
    return Program("sandbox", (sys.executable, "-m", "chadan.sandbox", "--port", port))


def _port(known: dict[str, Any], site_port: int) -> int:
    """Last time's port, else the one ABOVE the site's, else a free one (0)."""
    try:
        before = urlsplit(str(known["sandbox"]["url"])).port or 0
    except (KeyError, TypeError, ValueError):
        before = 0
    return next((port for port in (before, site_port + ABOVE) if 0 < port < 65_536 and _free(port)), 0)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
