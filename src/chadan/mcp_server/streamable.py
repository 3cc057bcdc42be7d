"""The server over streamable HTTP, inside the live process: `POST /live/mcp` with a bearer key. No sessions, no streams.

Each request stands alone (the protocol's stateless mode, answers as JSON), so a restart loses nothing and a client holds no
memory here between its calls. Nothing of the library is loaded before the first request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.db import DatabaseError

from chadan.accounts.client_ip import client_ip
from chadan.platform.config import Config
from chadan.platform.errors import ChadanError

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from chadan.mcp_server.server import Address, Context, Desk

PATH = "/live/mcp"
MOST_BYTES = 256 * 1024
AT_ONCE = 32
"""Requests in hand before others are asked to come later."""
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Endpoint:
    """The ASGI application at PATH."""

    def __init__(self, config: Config, allowed_origin: Callable[[Config, str], str]) -> None:
        """`allowed_origin(config, host)` is the one origin whose pages may call."""
        self._config = config
        self._allowed_origin = allowed_origin
        self._manager: StreamableHTTPSessionManager | None = None
        self._desk: Desk | None = None
        self._running: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope["method"], headers)
        self._in_hand += 1
        try:
            refusal = refusal or await self._unproved(scope, headers)
            if refusal is not None:
                await _refuse(send, *refusal)
                return
            manager = await self._started()
            await manager.handle_request(scope, receive, send)
        finally:
            self._in_hand -= 1

    def _refusal(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        """Why the request is not read at all."""
        if find_spec("mcp") is None:
            return 501, "MCP is not installed on this server. Install it: ./chadan mcp --install"
        host = headers.get("host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if name not in self._config.hosts and f"[{name}]" not in self._config.hosts:
            return 421, "This server does not answer to that host name."
        origin = headers.get("origin", "")
        if origin and origin != self._allowed_origin(self._config, host):
            return 403, "Pages of another origin may not call this server."
        if method != "POST":
            return 405, "Send requests with POST; there is no stream to open and no session to end."
        if self._in_hand >= AT_ONCE:
            return 503, "Too many requests at once. Try again in a moment."
        return None

    async def _unproved(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Why the key is not taken. The call itself proves it once more, on the connection it reads with."""
        from chadan.mcp_server.server import Desk

        scope["chadan.credentials"] = (headers.get("authorization", ""), _address(scope, headers))
        self._desk = self._desk or Desk(_credentials)
        try:
            await self._desk.proved(*scope["chadan.credentials"])
        except ChadanError as error:
            return error.status, str(error)
        except DatabaseError:
            return 503, "The database does not answer. Try again in a moment."
        return None

    async def _started(self) -> StreamableHTTPSessionManager:
        """The library's manager, running in a task of its own."""
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from chadan.mcp_server.server import make_server

        async with self._lock:
            if self._manager is None and self._desk is not None:
                manager = StreamableHTTPSessionManager(
                    make_server(self._desk), json_response=True, stateless=True, max_request_body_size=MOST_BYTES
                )
                ready = asyncio.Event()
                self._running = asyncio.create_task(_keep(manager, ready))
                await ready.wait()
                self._manager = manager
        if self._manager is None:
            raise RuntimeError("the manager is started after the key was proved")
        return self._manager

    def close(self) -> None:
        """Ends what is running."""
        if self._running is not None:
            self._running.cancel()
        if self._desk is not None:
            self._desk.close()


async def _keep(manager: StreamableHTTPSessionManager, ready: asyncio.Event) -> None:
    async with manager.run():
        ready.set()
        await asyncio.Event().wait()


def _credentials(context: Context) -> tuple[str, Address]:
    request: Any = context.request  # Starlette's: the transport puts it there for every message
    found: tuple[str, Address] = request.scope["chadan.credentials"]
    return found


def _address(scope: Scope, headers: dict[str, str]) -> Address:
    peer = (scope.get("client") or ("",))[0]
    return client_ip({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": headers.get("x-forwarded-for", "")})


async def _refuse(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="chadan"'))
    elif status == 405:
        headers.append((b"allow", b"POST"))
    elif status == 503:
        headers.append((b"retry-after", b"10"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode(), "more_body": False})
