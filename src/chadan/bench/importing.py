"""`bench import`: orders brought in by the importer and by the loader, beside COPY of the same rows into the same tables.

Both go into months the seed does not reach, whose partitions have every index; afterwards the months are emptied again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import median

from chadan.bench.figures import Bar, Result
from chadan.bench.people import people
from chadan.bench.shop import FIRST, write_shop
from chadan.bench.sites import UNTIL, Site
from chadan.bench.tape import Connection
from chadan.orders.lines import COLUMNS, OWNED
from chadan.orders.number import SHANGHAI, floor
from chadan.orders.records import OrderRecord, RefFact
from chadan.orders.states import RefKind
from chadan.platform.scope import OPERATOR

ORDERS = 30_000
ROUNDS = 3
YEARS_BACK = 4
_SOURCE_SCOPE = 2_000_000_000
"""An import source nobody has."""
FLOOR = "COPY of the same rows (orders, payments, deliveries, cards, notes, tags, events, numbers), ready as text"
BAR = Bar(least=0.5)


def bench_import(site: Site, _smaller: Site | None) -> Iterator[Result]:
    """The loader alone, then a whole import of files."""
    site.enter()
    with site.bare() as connection:
        yield _measure(connection, "loading drawn orders", _loader(connection))
        folder = site.config.data / "import"
        try:
            write_shop(folder, ORDERS)
            yield _measure(connection, "import acg-faka, files included", _importer(site, folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _measure(connection: Connection, name: str, bring: Callable[[], int]) -> Result:
    low, high = floor(_LOW), floor(_HIGH)
    ours, floors = [], []
    _clean(connection, low, high)
    for turn in range(ROUNDS + 1):
        start = time.perf_counter()
        count = bring()
        ours.append(count / (time.perf_counter() - start))
        rows = _unload(connection, low, high)
        _clean(connection, low, high)
        floors.append(count / _copied(connection, rows))
        _clean(connection, low, high)
        if not turn:
            ours.clear()
            floors.clear()
    megabytes = sum(map(len, rows.values())) / 1e6
    return Result(
        *(name, median(ours), "orders/s", ROUNDS, median(floors), FLOOR, BAR),
        {"orders": count, "copied_mb": round(megabytes, 1)},
    )


_LOW = datetime(UNTIL.year - YEARS_BACK, 1, 1, tzinfo=SHANGHAI)
_HIGH = datetime(UNTIL.year - YEARS_BACK + 1, 1, 1, tzinfo=SHANGHAI)


def _unload(connection: Connection, low: int, high: int) -> dict[str, bytes]:
    """What was brought in, by table, as COPY text."""
    rows: dict[str, bytes] = {}
    for table, columns in COLUMNS.items():
        query = f"select {columns} from {table} where order_no >= {low} and order_no < {high}"
        with connection.cursor() as cursor, cursor.copy(f"copy ({query}) to stdout") as copy:
            rows[table] = b"".join(map(bytes, copy))
    return rows


def _copied(connection: Connection, rows: dict[str, bytes]) -> float:
    start = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor:
        for table, text in rows.items():
            if text:
                with cursor.copy(f"copy {table} ({COLUMNS[table]}) from stdin") as copy:
                    copy.write(text)
    return time.perf_counter() - start


def _clean(connection: Connection, low: int, high: int) -> None:
    """Empties the year's months; numbers outside are in one table and are deleted from it."""
    months = [f"{_LOW:%y}{month:02d}" for month in range(1, 13)]
    names = [f"{table}_{month}" for table in OWNED for month in months]
    there = [name for name in names if (connection.execute("select to_regclass(%s)", (name,)).fetchone() or (None,))[0]]
    if there:
        connection.execute(f"truncate {', '.join(there)}")
    connection.execute("delete from external_refs where order_no >= %s and order_no < %s", (low, high))
    connection.execute("vacuum external_refs")


def _loader(connection: Connection) -> Callable[[], int]:
    from chadan.integrations.importing import CHUNK
    from chadan.orders.loading import ensure_months, load_chunk

    records = list(_drawn(connection))
    actor = {"kind": "system", "role": "bench", "id": None, "name": "bench"}
    ensure_months(record.placed_at for record in records)

    def bring() -> int:
        for start in range(0, len(records), CHUNK):
            load_chunk(OPERATOR, records[start : start + CHUNK], actor)
        return len(records)

    return bring


def _drawn(connection: Connection) -> Iterator[OrderRecord]:
    """Orders as a seed draws them, without numbers, as another shop would hand them over."""
    from chadan.seeding.draw import Day
    from chadan.seeding.fill import SEED
    from chadan.seeding.plan import make_plan
    from chadan.seeding.settle import settle
    from chadan.seeding.world import imagine

    plan, world = make_plan(ORDERS * 3, SEED, _HIGH, bulk=True), imagine(SEED)
    settle(world, plan, connection)
    drawn = replace(plan, seed=SEED + 1)  # the seeded orders have other gateway numbers
    left = ORDERS
    for day in range(plan.days - 300, plan.days):
        for record in Day(world, drawn, day).orders(plan.counts[day])[:left]:
            left -= 1
            kept = tuple(ref for ref in record.refs if ref.kind != RefKind.SOURCE.code)
            source = RefFact(RefKind.SOURCE.code, _SOURCE_SCOPE, f"BENCH{record.order_no}")
            yield record._replace(order_no=0, parent_order_no=None, refs=(*kept, source))


def _importer(site: Site, folder: Path) -> Callable[[], int]:
    from chadan.accounts.actors import find_actor
    from chadan.integrations.importing import Wish, run_import
    from chadan.integrations.registry import importer_named

    actor = find_actor(people(site)["operator"].username)
    wish = Wish(importer=importer_named("acg-faka"), path=folder)

    def bring() -> int:
        report = run_import(actor, wish)
        if report.rejected or report.duplicate:
            raise RuntimeError(f"the import says {report.as_json()}: {report.rejections[:1]}")
        return report.added

    return bring


assert FIRST.year == _LOW.year  # noqa: S101 - the shop's orders fall into the months that are emptied
