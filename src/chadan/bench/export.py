"""`bench export`: files asked for over HTTP and written by the worker, beside psql's copy command and XlsxWriter."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from chadan.bench.figures import Bar, Result, cpu_seconds, forget_peak, resident
from chadan.bench.people import Person, people
from chadan.bench.sites import Site
from chadan.bench.web import Running, connect, get, web, worker
from chadan.exports.columns import Column, defaults
from chadan.platform.errors import ChadanError

ROWS = 1_000_000
ROUNDS = 3
SHEET_ROWS = 100_000
"""What XlsxWriter writes: its speed does not depend on the number of rows, and a million would take minutes."""
TIMEOUT = 1800.0
_EXPRESSIONS = {
    Column.ORDER_NO: "o.order_no",
    Column.PLACED_AT: "order_placed_at(o.order_no) at time zone 'Asia/Shanghai'",
    Column.STATUS: "o.status",
    Column.PRODUCT: "v.title",
    Column.CATEGORY: "v.category_title",
    Column.QUANTITY: "o.quantity",
    Column.ACCOUNT: "o.account",
    Column.BUYER: "b.name",
    Column.AMOUNT: "o.amount / 100.0",
    Column.PAID: "o.paid / 100.0",
    Column.REFUNDED: "o.refunded / 100.0",
    Column.PAYMENT_METHOD: "o.payment_method",
}


def copy_sql(limit: int) -> str:
    """The same orders and columns, written by hand: the newest `limit` of the whole platform."""
    columns = ", ".join(_EXPRESSIONS.values())
    return (
        f"select {columns} from orders o join product_versions v on v.id = o.version_id"
        f" join buyers b on b.id = o.buyer_id order by o.order_no desc limit {limit}"
    )


@dataclass(slots=True)
class Taken:
    """One export, from the request to the last byte."""

    rows: int
    seconds: float
    written: float
    cpu: float
    bytes: int


class Exporter:
    """Asks for exports as a browser does, as the platform operator."""

    def __init__(self, site: Site, server: Running, jobs: Running, who: Person) -> None:
        self.site, self.server, self.jobs = site, server, jobs
        token = secrets.token_hex(16)
        from django.conf import settings

        cookie = f"{who.cookie}; {settings.CSRF_COOKIE_NAME}={token}"
        self.headers = {**who.pages, "Cookie": cookie}
        self.token = token

    def take(self, kind: str, limit: int) -> Taken:
        """Requests, waits, downloads, removes. Raises ChadanError when the export fails."""
        from chadan.exports import files
        from chadan.exports.models import ExportJob, State

        connection = connect(self.server.port)
        cpu, start = cpu_seconds(self.jobs.pid), time.perf_counter()
        export_id = self._request(connection, kind, limit)
        while (job := ExportJob.objects.get(pk=export_id)).running:
            if time.perf_counter() - start > TIMEOUT:
                raise ChadanError("The export does not end.")
            time.sleep(0.05)
        if job.state != State.DONE:
            raise ChadanError(f"The export failed: {job.error}")
        cpu = cpu_seconds(self.jobs.pid) - cpu
        written = time.perf_counter() - start
        size = self._download(connection, export_id)
        seconds = time.perf_counter() - start
        connection.close()
        if size != job.bytes:
            raise ChadanError(f"The download has {size} bytes instead of {job.bytes}.")
        files.remove(export_id)
        return Taken(job.rows_done, seconds, written, cpu, size)

    def _request(self, connection: http.client.HTTPConnection, kind: str, limit: int) -> UUID:
        fields = [
            ("csrfmiddlewaretoken", self.token),
            ("area", "operator"),
            ("query", json.dumps({"limit": limit})),
            ("format", kind),
            ("open", "0"),
            *(("columns", column.value) for column in _EXPRESSIONS),
        ]
        headers = {**self.headers, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/exports/new", urlencode(fields), headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 302:
            raise ChadanError(f"The export page answers {answer.status}: {body[-300:]!r}")
        return UUID(answer.headers["Location"].rpartition("/")[2])

    def _download(self, connection: http.client.HTTPConnection, export_id: UUID) -> int:
        connection.request("GET", f"/exports/{export_id}/download", headers=self.headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise ChadanError(f"The download answers {answer.status}.")
        size = 0
        while block := answer.read(1 << 20):
            size += len(block)
        return size


def bench_export(site: Site, _smaller: Site | None) -> Iterator[Result]:
    """CSV and XLSX."""
    who = people(site)["operator"]
    assert set(_EXPRESSIONS) == set(defaults(tuple(Column))), "the export's usual columns have changed"  # noqa: S101
    _forget_unfinished()
    rows = min(site.orders, ROWS)
    with web(site) as server, worker(site) as jobs:
        exporter = Exporter(site, server, jobs, who)
        _warm(exporter, server)
        yield from _csv(exporter, rows)
        yield from _xlsx(exporter, rows)


def _forget_unfinished() -> None:
    """What a killed run left behind would count against the limit of unfinished exports."""
    from django.utils import timezone

    from chadan.exports.models import ExportJob, State

    left = ExportJob.objects.filter(state__in=(State.QUEUED, State.RUNNING))
    left.update(state=State.CANCELLED, finished_at=timezone.now())


def _warm(exporter: Exporter, server: Running) -> None:
    """Every module is loaded and every page drawn before memory is measured."""
    for kind in ("csv", "xlsx"):
        exporter.take(kind, 2000)
    connection = connect(server.port)
    for _ in range(20):
        get(connection, "/exports", exporter.headers)
    connection.close()


@dataclass(slots=True)
class _Growth:
    """How far above its present size a process went."""

    pid: int
    before: float = 0.0

    def __post_init__(self) -> None:
        forget_peak(self.pid)
        self.before = resident(self.pid)

    @property
    def megabytes(self) -> float:
        """The peak since, over what it was."""
        return round(max(resident(self.pid, "VmHWM") - self.before, 0.0), 1)


def _csv(exporter: Exporter, rows: int) -> Iterator[Result]:
    page, job = _Growth(exporter.server.pid), _Growth(exporter.jobs.pid)
    ours, floors, written = [], [], []
    for _ in range(ROUNDS):
        taken = exporter.take("csv", rows)
        ours.append(taken.rows / taken.seconds)
        written.append(taken.rows / taken.written)
        floors.append(rows / _copied(exporter.site, rows))
    extra: dict[str, Any] = {"rows": rows, "written_per_s": median(written), "mb": taken.bytes / 1e6}
    yield Result(
        *("CSV over HTTP", median(ours), "rows/s", ROUNDS, median(floors), "`psql \\copy` of the same rows"),
        *(Bar(least=0.5), extra),
    )
    yield from _memory("CSV", page, job, 30.0, None)


def _memory(
    kind: str, page: _Growth, job: _Growth, page_most: float | None, job_most: float | None
) -> Iterator[Result]:
    for name, growth, most in (("web process", page, page_most), ("worker", job, job_most)):
        bar = None if most is None else Bar("value", most=most)
        extra = {"mb_before": round(growth.before, 1)}
        yield Result(f"{kind}: growth of the {name}", growth.megabytes, "MB", 1, bar=bar, extra=extra)


def _copied(site: Site, rows: int) -> float:
    """Seconds psql takes to write the rows into a file."""
    from chadan.platform.postgres.layout import binaries, wheel_folder

    target = site.config.data / "copied.csv"
    owner = site.owner
    environment = {
        **os.environ,
        "PGHOST": owner.host,
        "PGPORT": str(owner.port),
        "PGDATABASE": owner.name,
        "PGUSER": owner.user,
        "PGPASSWORD": owner.password,
    }
    command = [str(binaries(wheel_folder()) / "psql"), "-qX", "-c"]
    start = time.perf_counter()
    subprocess.run([*command, f"\\copy ({copy_sql(rows)}) to '{target}' csv header"], env=environment, check=True)
    spent = time.perf_counter() - start
    target.unlink()
    return spent


def _xlsx(exporter: Exporter, rows: int) -> Iterator[Result]:
    page, job = _Growth(exporter.server.pid), _Growth(exporter.jobs.pid)
    taken = exporter.take("xlsx", rows)
    growth = list(_memory("XLSX", page, job, None, 60.0))
    floor, said = _xlsxwriter(exporter.site, min(rows, SHEET_ROWS))
    extra: dict[str, Any] = {"rows": taken.rows, "seconds": round(taken.seconds, 2), "mb": taken.bytes / 1e6, **said}
    about = "XlsxWriter constant_memory" if floor else "XlsxWriter is not installed"
    bar = Bar(least=6.0) if floor else None
    yield Result("XLSX, written by the worker", taken.rows / taken.cpu, "rows/CPU-s", 1, floor, about, bar, extra)
    yield from growth


def _xlsxwriter(site: Site, rows: int) -> tuple[float | None, dict[str, Any]]:
    """Rows per CPU second of a process that writes the same rows with XlsxWriter, and its peak memory."""
    if importlib.util.find_spec("xlsxwriter") is None:
        return None, {}
    target = Path(site.config.data) / "floor.xlsx"
    command = [sys.executable, "-m", "chadan.bench.xlsx_floor", str(rows), str(target)]
    done = subprocess.run(command, env=site.environment, check=True, capture_output=True, text=True)
    target.unlink()
    said = json.loads(done.stdout)
    return rows / said["cpu"], {"xlsxwriter_rows": rows, "xlsxwriter_growth_mb": round(said["growth_mb"], 1)}
