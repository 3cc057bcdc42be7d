"""The ASGI application: `GET /live/orders`, a stream of server-sent events; `POST /live/mcp`, for assistants. No Django request stack.

    event: orders    data: {"orders": ["2611224529600712343"], "new": 0}   these orders changed; so many are new
    event: resync    data: {}                                              too much changed: look at everything anew
    event: position  data: 17                                              heartbeat: everything before 17 has been told

Each event's id is a position of the log. A stream that continues (`Last-Event-ID`, or `?since=`) is first told what it missed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.http import parse_cookie

from chadan.eventlog import reading
from chadan.live.hub import Client, Hub, frame, told
from chadan.live.listener import Listener
from chadan.live.topics import Visitor, topics_of
from chadan.live.visitors import visitor_of_key
from chadan.mcp_server import streamable
from chadan.platform.config import Config

log = logging.getLogger(__name__)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PATH = "/live/orders"
BEAT = 15.0
LONGEST = 600.0
"""Seconds after which a stream ends and its page asks anew: a session may have been closed since."""
RETRY = 2000
"""Milliseconds before a browser opens a lost stream again."""


class Application:
    """What granian serves."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.hub = Hub()
        self.listener = Listener(self.hub)
        self._tasks: list[asyncio.Task[None]] = []
        self._checker = ThreadPoolExecutor(2, "sessions")
        self._assistants = streamable.Endpoint(config, allowed_origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's scope."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._tasks = [asyncio.create_task(self.listener.run()), asyncio.create_task(self._beat())]
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.hub.close()
                self._assistants.close()
                for task in self._tasks:
                    task.cancel()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self.hub.beat()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == streamable.PATH:
            await self._assistants(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] != PATH or scope["method"] != "GET":
            await _answer(send, 404)
            return
        origin = headers.get("origin", "")
        if origin and origin != allowed_origin(self.config, headers.get("host", "")):
            await _answer(send, 403)
            return
        cors = _cors(origin)
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        try:
            await asyncio.wait_for(self.listener.ready.wait(), 10)
            visitor = await self._visitor(headers.get("cookie", ""), asked.get("as", [""])[0])
        except (DatabaseError, TimeoutError):
            log.warning("live cannot ask the database")
            await _answer(send, 503, cors)
            return
        if visitor is None:
            await _answer(send, 401, cors)
        elif self.hub.full(visitor):
            await _answer(send, 503, cors)
        else:
            since = headers.get("last-event-id") or asked.get("since", [""])[0]
            await self._stream(visitor, since, receive, send, cors)

    async def _visitor(self, cookies: str, capacity: str) -> Visitor | None:
        key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")
        return await self._in_thread(visitor_of_key, key, capacity) if key else None

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        def call() -> Any:
            close_old_connections()
            return function(*args)

        return await asyncio.get_running_loop().run_in_executor(self._checker, call)

    async def _stream(
        self, visitor: Visitor, since: str, receive: Receive, send: Send, cors: list[tuple[bytes, bytes]]
    ) -> None:
        client = self.hub.join(visitor)
        loop = asyncio.get_running_loop()
        # Not all at once: the streams of a restarted process began in the same second.
        ends = loop.call_later(LONGEST * random.uniform(0.8, 1), client.leave)  # noqa: S311 - spreads load, keeps no secret
        watch = loop.create_task(_watch(receive, client))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [*_STREAM, *cors]})
            await _body(send, f"retry: {RETRY}\n\n".encode() + await self._missed(visitor, since))
            while data := await client.take():
                await _body(send, data)
            await _body(send, b"", more=False)
        except DatabaseError:
            log.warning("live cannot read what a page missed")
        finally:
            ends.cancel()
            watch.cancel()
            self.hub.part(client)

    async def _missed(self, visitor: Visitor, since: str) -> bytes:
        """What a stream that continues has not been told. The client has joined already, so nothing falls between."""
        head = self.hub.position
        start = int(since) if since.isdecimal() and len(since) < 19 else head
        if start >= head:
            return frame("position", head, head)
        if head - start > reading.MOST_CHANGES:
            return frame("resync", {}, head)
        changes = await self._in_thread(reading.changes, visitor.scope, start, head)
        numbers = [change.order_no for change in changes if visitor.topics.intersection(topics_of(change))]
        return frame("orders", told(numbers), head) if numbers else frame("position", head, head)


_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
]


def allowed_origin(config: Config, host: str) -> str:
    """The one origin whose pages may open a stream: the public one, or the web process on the same host name."""
    if config.origin:
        return config.origin
    name = urlsplit(f"//{host}").hostname or ""
    if name not in config.hosts and f"[{name}]" not in config.hosts:
        return ""
    return f"http://{f'[{name}]' if ':' in name else name}:{config.listen_port}"


def _cors(origin: str) -> list[tuple[bytes, bytes]]:
    if not origin:
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    plain = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store"), *(headers or [])]
    if status == 503:
        plain.append((b"retry-after", b"10"))
    await send({"type": "http.response.start", "status": status, "headers": plain})
    await _body(send, b"", more=False)


async def _body(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def _watch(receive: Receive, client: Client) -> None:
    """Ends the stream when its page is gone."""
    with suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass
        client.leave()
