"""The MCP server: protocol by the `mcp` library, answers by `answering`. Every call proves its key anew."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import psycopg
from django.db import DatabaseError, close_old_connections, connection
from django.utils import translation
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from chadan.api.keys import KeyActor, authenticate, run_here
from chadan.mcp_server import answering, schemas
from chadan.platform.errors import ChadanError

log = logging.getLogger("chadan.mcp")
Address = IPv4Address | IPv6Address | None
Context = ServerRequestContext[Any, Any]
Credentials = Callable[[Context], tuple[str, Address]]
"""The bearer and the address a request came with."""
THREADS = 2


class Desk:
    """Answers calls on threads of its own, so that a slow question holds up neither the protocol nor open pages."""

    def __init__(self, credentials: Credentials) -> None:
        """`credentials` names who asks."""
        self._credentials = credentials
        self._threads = ThreadPoolExecutor(THREADS, "assistants")

    async def list_tools(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """The tools. What they are is no secret; a call proves the key."""
        reads = types.ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        )
        with translation.override("en"):
            return types.ListToolsResult(
                tools=[
                    types.Tool(name=name, description=text, input_schema=schema, annotations=reads)
                    for name, (text, schema) in schemas.tools().items()
                ]
            )

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        """One tool's answer, or one sentence about what is wrong."""
        if params.name not in answering.TOOLS:
            raise MCPError(code=types.INVALID_PARAMS, message=f"There is no tool {params.name[:60]!r}.")
        bearer, address = self._credentials(context)
        loop = asyncio.get_running_loop()
        answer, failed = await loop.run_in_executor(
            self._threads, respond, bearer, address, params.name, params.arguments or {}
        )
        text = types.TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))
        return types.CallToolResult(content=[text], structured_content=answer, is_error=failed)

    async def proved(self, bearer: str, address: Address) -> None:
        """Raises Unauthorized or Forbidden when the key is not taken, a database's error when that cannot be asked."""
        await asyncio.get_running_loop().run_in_executor(self._threads, prove, bearer, address)

    def close(self) -> None:
        """Lets go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def respond(bearer: str, address: Address, name: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The answer as JSON-ready data, and whether it is an error's. Runs on a thread with a database connection of its own."""
    close_old_connections()
    try:
        with translation.override("en"):
            return answering.call(authenticated(bearer, address), name, arguments), False
    except ChadanError as error:
        found = {"code": error.code, "error": str(error), **({"field": error.field} if error.field else {})}
        return found, True
    except (DatabaseError, psycopg.Error) as error:
        connection.close()
        log.exception("a tool could not ask the database", exc_info=error)
        return {"code": "database_unavailable", "error": "The database does not answer. Try again in a moment."}, True
    except Exception as error:
        log.exception("a tool failed", exc_info=error)
        return {"code": "internal", "error": "Something went wrong here; it has been logged."}, True


def authenticated(bearer: str, address: Address) -> KeyActor:
    """Whoever the bearer speaks for, as at the API. Raises Unauthorized or Forbidden."""
    return authenticate(bearer, address, run_here)


def prove(bearer: str, address: Address) -> None:
    """`authenticated` on a thread of its own."""
    close_old_connections()
    with translation.override("en"):
        authenticated(bearer, address)


def make_server(desk: Desk) -> Server[Any]:
    """The protocol's server around a desk."""
    return Server(
        "chadan",
        title="Chadan",
        version="1",
        instructions=schemas.INSTRUCTIONS,
        on_list_tools=desk.list_tools,
        on_call_tool=desk.call_tool,
    )
