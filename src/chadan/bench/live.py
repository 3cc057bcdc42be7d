"""`bench live`: a thousand open pages. What they cost the live process, and how soon they hear of a sequenced event."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from chadan.bench import web
from chadan.bench.figures import Bar, Result, cpu_seconds, percentile, resident
from chadan.bench.keys import Shop, read_shops
from chadan.bench.people import people
from chadan.bench.sites import Site
from chadan.live.hub import MOST_PER_SESSION
from chadan.live.server import PATH
from chadan.orders import events
from chadan.platform.errors import ChadanError
from chadan.platform.scope import scoped

PAGES = 1_000
EVENTS = 40
APART = 0.25
"""Seconds between two events: each is a batch of its own."""
WITHIN = 60.0
_AT_ONCE = 50
_ORDERS = re.compile(rb"id: (\d+)\nevent: orders\n")
_WAITING = """
select exists (select from order_events where leaf_index is null and type <> 'imported')
    or exists (select from order_events where leaf_index is null and type = 'imported')
"""
_SEQUENCED = "select leaf_index, extract(epoch from sequenced_at)::float8 from order_events where leaf_index >= %s"


@dataclass(slots=True)
class Heard:
    """What the pages heard: by position, when each one's frame came (seconds since 1970)."""

    times: dict[int, list[float]] = field(default_factory=dict)
    opened: int = 0
    after_mb: float = 0.0
    cpu: float = 0.0


def bench_live(site: Site, _smaller: Site | None) -> Iterator[Result]:
    """All pages are open at one shop, so every event goes to all of them: memory first, then latency."""
    shop = read_shops(site)[0]
    cookies = _cookies(site)
    with web.eventlog(site), web.live(site) as process:
        start = _drained(site)
        time.sleep(2)
        before = resident(process.pid)
        heard = asyncio.run(_measure(process, cookies, shop))
        with site.bare() as connection:
            sequenced = dict(connection.execute(_SEQUENCED, (start,)).fetchall())
    yield Result(
        *("memory for open pages", heard.after_mb - before, "MB", heard.opened),
        bar=Bar("value", most=50),
        extra={"before_mb": before, "after_mb": heard.after_mb},
    )
    delays = [moment - sequenced[at] for at, moments in heard.times.items() for moment in moments]
    yield Result(
        *("event sequenced to page, p95", percentile(delays, 0.95) * 1000, "ms", len(delays)),
        bar=Bar("value", most=100),
        extra={
            "p50_ms": percentile(delays, 0.5) * 1000,
            "worst_ms": max(delays) * 1000,
            "events": len(heard.times),
            "live_cpu_ms_per_event": heard.cpu / EVENTS * 1000,
        },
    )


def _cookies(site: Site) -> list[str]:
    """As many sessions of the shop's owner as its pages need."""
    from django.conf import settings
    from django.test import Client

    from chadan.accounts.models import User

    user = User.objects.get(username=people(site)["merchant"].username)
    cookies = []
    for _session in range(-(-PAGES // MOST_PER_SESSION)):
        client = Client()
        client.force_login(user)
        cookies.append(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")
    return cookies


def _drained(site: Site) -> int:
    """Waits until everything is sequenced; the next position."""
    with site.bare() as connection:
        while (connection.execute(_WAITING).fetchone() or (False,))[0]:
            time.sleep(0.5)
        return int((connection.execute("select next_index from event_log_head").fetchone() or (0,))[0])


async def _measure(process: web.Running, cookies: list[str], shop: Shop) -> Heard:
    heard, gate = Heard(), asyncio.Semaphore(_AT_ONCE)
    pages = [
        asyncio.create_task(_page(process.port, cookies[place % len(cookies)], shop, heard, gate))
        for place in range(PAGES)
    ]
    deadline = time.monotonic() + WITHIN
    while heard.opened < PAGES:
        if time.monotonic() > deadline or any(page.done() for page in pages):
            raise ChadanError(f"Only {heard.opened} of {PAGES} pages could be opened.")
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    spent = cpu_seconds(process.pid)
    for place in range(EVENTS):
        await asyncio.to_thread(_happen, shop, place)
        await asyncio.sleep(APART)
    await asyncio.sleep(1)
    heard.cpu = cpu_seconds(process.pid) - spent
    heard.after_mb = resident(process.pid)
    for page in pages:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)
    return heard


def _happen(shop: Shop, place: int) -> None:
    from django.db import connection

    order = shop.orders[place % len(shop.orders)]
    try:
        with scoped(shop.scope) as session:
            events.append(session, order.order_no, "bench.touched", events.system("bench"), {})
    finally:
        connection.close()  # each call may be in another thread


async def _page(port: int, cookie: str, shop: Shop, heard: Heard, gate: asyncio.Semaphore) -> None:
    """One open page, until cancelled."""
    async with gate:
        head = f"GET {PATH}?as=merchant:{shop.id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        request = f"{head}Origin: http://127.0.0.1:{port - 1}\r\nAccept: text/event-stream\r\n\r\n".encode()
        loop = asyncio.get_running_loop()
        transport, page = await loop.create_connection(lambda: _Page(request, heard), "127.0.0.1", port)
        await page.opened
        heard.opened += 1
    try:
        await asyncio.Event().wait()
    finally:
        transport.close()


class _Page(asyncio.Protocol):
    """Notes when each `orders` frame arrives, and does nothing else: a thousand pages share this process."""

    def __init__(self, request: bytes, heard: Heard) -> None:
        self.request, self.heard = request, heard
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the stream."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows for the type checker
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """A frame, or the answer's head with the first one."""
        moment = time.time()
        if not self.opened.done() and b"event: position" in data:
            self.opened.set_result(None)
        for position in _ORDERS.findall(data):
            self.heard.times.setdefault(int(position) - 1, []).append(moment)

    def connection_lost(self, _error: Exception | None) -> None:
        """A stream that was refused, or broke."""
        if not self.opened.done():
            self.opened.set_exception(ChadanError("The live process refused a page."))
