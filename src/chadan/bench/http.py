"""`bench http`: CPU of the web process per request, beside the same SQL sent by a bare psycopg loop."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import urlencode

from chadan.bench import tape
from chadan.bench.figures import Bar, Result, cpu_seconds, percentile
from chadan.bench.keys import Shop, read_shops
from chadan.bench.people import Person, people
from chadan.bench.sites import UNTIL, Site
from chadan.bench.web import Running, connect, get, web

CLIENTS = 4
ROUNDS = 5
FLOOR = "all SQL of the request, key or session included, through a bare psycopg loop (CPU of that loop)"


@dataclass(frozen=True, slots=True)
class Page:
    """What is requested: addresses to rotate, the headers, how often a round, how many rows an answer must hold."""

    name: str
    paths: list[str]
    headers: dict[str, str]
    bar: Bar
    each: int
    rows: int = 0


def bench_http(site: Site, _smaller: Site | None) -> Iterator[Result]:
    """API lookup and list, HTML list."""
    who = people(site)["merchant"]
    shop = read_shops(site)[0]
    with web(site) as server, site.product() as connection:
        for page in _pages(shop, who):
            yield _measure(site, server, connection, page)


def _pages(shop: Shop, who: Person) -> list[Page]:
    windows = [_window(UNTIL - timedelta(days=30 * place)) for place in range(1, 9)]
    lists = [urlencode({"limit": 50, **window}) for window in windows]
    lists += [urlencode({"limit": 50, "status": "completed", **window}) for window in windows[:4]]
    return [
        Page(
            "API lookup",
            [f"/api/v1/orders/{order.order_no:019d}" for order in shop.orders],
            who.api,
            Bar(most=5.0),
            400,
        ),
        Page("API list, 50 rows", [f"/api/v1/orders?{one}" for one in lists], who.api, Bar(most=2.5), 300, 50),
        Page(
            "HTML list, 50 rows",
            [f"/m/orders?{urlencode({'view': 'sales', **window})}" for window in windows],
            who.pages,
            Bar(most=8.0),
            100,
        ),
    ]


def _window(start: datetime) -> dict[str, str]:
    return {"from": start.date().isoformat(), "to": (start + timedelta(days=29)).date().isoformat()}


def _measure(site: Site, server: Running, connection: tape.Connection, page: Page) -> Result:
    tapes = [_recorded(site, server.port, page, path) for path in page.paths]
    _check(server, page)
    webs, floors, waits = [], [], []
    for turn in range(ROUNDS + 1):
        used, waited = _served(server, page)
        bare = _looped(connection, tapes, page.each)
        if turn:
            webs.append(used)
            floors.append(bare)
            waits += waited
    statements = max(one.statements for one in tapes)
    extra: dict[str, Any] = {
        "p95": percentile(waits, 0.95) * 1000,
        "latency_p50_ms": median(waits) * 1000,
        "statements": statements,
        "round_trips": max(len(one.trips) for one in tapes),
        "rounds": [round(value / floor, 2) for value, floor in zip(webs, floors, strict=True)],
    }
    value, floor = median(webs) * 1e6, median(floors) * 1e6
    return Result(page.name, value, "µs", ROUNDS * page.each, floor, FLOOR, page.bar, extra)


def _recorded(site: Site, port: int, page: Page, path: str) -> tape.Tape:
    """The SQL of one request, handled in this process; the first time something may be looked up for good."""
    site.enter()
    for _ in range(2):
        with tape.recording() as taken:
            _handled(port, page, path)
    return taken


def _handled(port: int, page: Page, path: str) -> bytes:
    import io

    from chadan.platform.wsgi import application

    logging.getLogger("chadan").setLevel(logging.WARNING)  # this process's log; the measured process logs as ever
    before, _mark, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": before,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": f"127.0.0.1:{port}",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in page.headers.items()},
    }
    answer = application(environ, lambda *_args: lambda _data: None)
    try:
        return b"".join(answer)
    finally:
        answer.close()  # type: ignore[attr-defined]  # Django's responses have it


def _check(server: Running, page: Page) -> None:
    connection = connect(server.port)
    for path in page.paths:
        status, body = get(connection, path, page.headers)
        if status != 200:
            raise RuntimeError(f"{path} answers {status}: {body[:200]!r}")
        if page.rows and len(json.loads(body)["data"]) != page.rows:
            raise RuntimeError(f"{path} answers {len(json.loads(body)['data'])} orders")
    connection.close()


def _served(server: Running, page: Page) -> tuple[float, list[float]]:
    """CPU seconds of the web process per request, and how long each answer took."""
    waits: list[float] = []
    failures: list[int] = []

    def client(place: int) -> None:
        connection = connect(server.port)
        for number in range(place, page.each, CLIENTS):
            start = time.perf_counter()
            status, _body = get(connection, page.paths[number % len(page.paths)], page.headers)
            waits.append(time.perf_counter() - start)
            if status != 200:
                failures.append(status)
        connection.close()

    before = cpu_seconds(server.pid)
    threads = [threading.Thread(target=client, args=(place,)) for place in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"{page.name}: {len(failures)} requests failed with {failures[0]}")
    return (cpu_seconds(server.pid) - before) / page.each, waits


def _looped(connection: tape.Connection, tapes: list[tape.Tape], times: int) -> float:
    """CPU seconds of this process per tape."""
    before = time.process_time()
    for number in range(times):
        tape.play(connection, tapes[number % len(tapes)])
    return (time.process_time() - before) / times
