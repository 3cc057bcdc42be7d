"""The server over standard input and output: one client, one key, for as long as the client keeps the pipe open."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

from mcp.server.stdio import stdio_server

from chadan.mcp_server.server import Desk, make_server

HERE = ip_address("127.0.0.1")
"""Where a client on a pipe is, for keys that are bound to addresses."""


def serve(secret: str) -> None:
    """Serves until the client hangs up."""
    asyncio.run(_serve(f"Bearer {secret}"))


async def _serve(bearer: str) -> None:
    desk = Desk(lambda _context: (bearer, HERE))
    server = make_server(desk)
    try:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())
    finally:
        desk.close()
