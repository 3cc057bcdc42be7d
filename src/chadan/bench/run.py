"""Runs benches by name and collects what they report."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from chadan.bench.figures import Result
from chadan.bench.machine import describe
from chadan.bench.sites import Site, running
from chadan.platform.errors import InvalidInput

BENCHES = {
    "sql": ("chadan.bench.sql", "bench_sql", "lookup, every filter, combinations, page 1000, counts: all their SQL"),
    "fragment": ("chadan.bench.sql", "bench_fragment", "a piece of an account, within one merchant"),
    "http": ("chadan.bench.http", "bench_http", "API lookup and list, HTML list: web CPU beside their SQL run bare"),
    "export": ("chadan.bench.export", "bench_export", "CSV beside \\copy, XLSX beside XlsxWriter, memory growth"),
    "live": ("chadan.bench.live", "bench_live", "1,000 open pages: memory of the live process, event to page"),
    "eventlog": ("chadan.bench.eventlog", "bench_eventlog", "giving events their positions"),
    "orders": ("chadan.bench.orders", "bench_orders", "selling from stock by 16 clients, beside pgbench TPC-B"),
    "import": ("chadan.bench.importing", "bench_import", "importing orders beside COPY into the same tables"),
    "parse": ("chadan.bench.parse", "bench_parse", "reading a question in natural language, mean; needs no database"),
}
SITELESS = frozenset({"parse"})
"""These need no database: alone, they start none."""
SMALLER = 1_000_000
"""What a larger size is compared with."""


def run(names: list[str], orders: int, say: Callable[[Result], None]) -> dict[str, Any]:
    """Runs the benches at one size; `say` gets each result at once. Raises InvalidInput for an unknown name."""
    for name in names:
        if name not in BENCHES:
            raise InvalidInput(f"There is no bench {name!r}.", hint=f"There are {', '.join(BENCHES)}.")
    results: list[Result] = []
    if SITELESS.issuperset(names):
        for name in names:
            _collect(name, None, None, say, results)
        return {"orders": orders, "machine": describe(None), "results": [result.as_json() for result in results]}
    with ExitStack() as stack:
        site = stack.enter_context(running(orders, first=True))
        smaller = None
        if "sql" in names and orders > SMALLER:
            smaller = stack.enter_context(running(SMALLER, first=False))
            site.enter()
        machine = describe(site)
        for name in names:
            _collect(name, site, smaller, say, results)
            site.enter()
    return {"orders": orders, "machine": machine, "results": [result.as_json() for result in results]}


def _collect(
    name: str, site: Site | None, smaller: Site | None, say: Callable[[Result], None], results: list[Result]
) -> None:
    module, function, _about = BENCHES[name]
    bench: Callable[[Site | None, Site | None], Iterator[Result]] = getattr(importlib.import_module(module), function)
    for result in bench(site, smaller):
        result.extra["bench"] = name
        say(result)
        results.append(result)
