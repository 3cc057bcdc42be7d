"""Exports against a real database: every format, resuming, cancelling, limits, and whose file it is."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import duckdb
import openpyxl
import pytest

from chadan.orders import number
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound

pytestmark = pytest.mark.integration
ROWS = 60
HOSTILE = {
    "account": '=HYPERLINK("http://x")',
    "note": 'line one\r\nline "two", three\t',
    "platform": "＝full",
    "source_order_no": "0012345678901234567890",
}


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_order, make_shop, make_version

    shop = make_shop(orders=0)
    version = make_version(shop.merchant)
    start = datetime.now(UTC) - timedelta(hours=8 * ROWS)
    for index in range(ROWS):
        columns = dict(HOSTILE) if index == 7 else {"account": f"138{index:08d}", "note": None if index % 3 else "ok"}
        agent = shop.agent if index % 5 == 0 else None
        if index % 4 == 0:
            columns |= {"paid": 0, "paid_at": None, "completed_at": None, "status": 0}
        shop.orders.append(
            make_order(
                shop.merchant,
                shop.buyer.buyer,
                version,
                agent=agent,
                at=start + timedelta(hours=8 * index),
                amount=1000 + index,
                **columns,
            )
        )
    return shop


@pytest.fixture(scope="module")
def other(database):
    from tests.support.people import make_shop

    return make_shop(orders=2)


def actor(user):
    from tests.support.people import acting

    return acting(user)


def owner(shop):
    return actor(shop.staff["owner"])


def export(acting, progress=None, query=None, **wanted):
    """A finished export and its file's bytes."""
    from chadan.exports import runner, services
    from chadan.search.order_query import OrderQuery

    job = services.request_export(acting, query or OrderQuery(), defer=False, **wanted)
    runner.run(job, progress, slow())
    _, path = services.open_download(acting, job.pk)
    return job, path.read_bytes()


def slow():
    from chadan.exports.runner import Pace

    return Pace(chunk_rows=7, checkpoint_seconds=0)


def lines(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def every_column(shop):
    from chadan.exports.services import open_columns

    return [column.value for column in open_columns(owner(shop))]


def test_csv_holds_every_order_newest_first(shop):
    seen = []
    job, data = export(owner(shop), lambda done, total: seen.append((done, total)), format="csv")
    header, *rows = lines(data)
    assert header[0] == "订单号"
    assert [row[0] for row in rows] == [f"{number.text(one)}\t" for one in sorted(shop.orders, reverse=True)]
    assert job.rows_total == job.rows_done == ROWS
    assert seen[0] == (0, ROWS)
    assert seen[-1] == (ROWS, ROWS)
    assert all(before[0] < after[0] for before, after in pairwise(seen))


def test_csv_and_workbook_hold_the_same(shop):
    """Every column of every order: the workbook's values, written as CSV, are the CSV."""
    from chadan.exports.columns import SPECS, Column
    from chadan.exports.csv_file import CsvWriter

    names = every_column(shop)
    _, data = export(owner(shop), format="csv", columns=names, masked=False)
    _, sheet = export(owner(shop), format="xlsx", columns=names, masked=False)
    kinds = [SPECS[Column(name)].kind for name in names]
    header, *rows = openpyxl.load_workbook(io.BytesIO(sheet)).active.iter_rows(values_only=True)
    rebuilt = io.BytesIO()
    writer = CsvWriter(rebuilt, header, kinds)
    writer.write([list(map(cell_of, row, kinds)) for row in rows])
    assert rebuilt.getvalue() == data


def cell_of(value, kind):
    """What openpyxl read, as an export's cell."""
    if value is not None and kind == "money":
        return round(value * 100)
    return value.replace(tzinfo=number.SHANGHAI) if value is not None and kind == "datetime" else value


def test_hostile_texts_are_harmless(shop):
    names = ["order_no", "account", "note", "platform", "source_order_no"]
    _, data = export(owner(shop), format="csv", columns=names, masked=False)
    [row] = [row for row in lines(data) if row[0] == f"{number.text(shop.orders[7])}\t"]
    assert row[1] == '\'=HYPERLINK("http://x")\t'
    assert row[2] == HOSTILE["note"]
    assert row[3] == "'＝full"
    assert row[4] == "0012345678901234567890\t"


def test_masking_hides_accounts_and_buyers(shop):
    from chadan.exports.masking import mask

    names = ["order_no", "account", "buyer"]
    _, masked = export(owner(shop), format="xlsx", columns=names)
    _, open_ = export(owner(shop), format="xlsx", columns=names, masked=False)
    rows = [
        list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(min_row=2, values_only=True))
        for data in (masked, open_)
    ]
    assert [(mask(account), mask(buyer)) for _, account, buyer in rows[1]] == [row[1:] for row in rows[0]]
    assert all("****" in account for _, account, _ in rows[0])


def test_parquet_holds_typed_values(shop, tmp_path):
    _, data = export(owner(shop), format="parquet", columns=every_column(shop), masked=False)
    path = tmp_path / "orders.parquet"
    path.write_bytes(data)
    rows = duckdb.sql(
        f"select order_no, amount, epoch(placed_at), account, note, paid_at is null from '{path}' order by order_no"
    ).fetchall()
    assert [row[0] for row in rows] == [number.text(one) for one in sorted(shop.orders)]
    assert [int(row[1] * 100) for row in rows] == [1000 + index for index in range(ROWS)]
    assert [row[2] for row in rows] == [number.placed_at(one).timestamp() for one in shop.orders]
    assert rows[7][3] == HOSTILE["account"]
    assert rows[7][4] == HOSTILE["note"]
    assert [row[5] for row in rows] == [index % 4 == 0 for index in range(ROWS)]


@pytest.mark.parametrize("format", ["csv", "xlsx", "parquet"])
def test_a_killed_export_goes_on_where_it_stopped(shop, format):  # noqa: A002
    """A process is killed after some chunks; the resumed file equals one written without interruption."""
    from chadan.exports import files, runner, services
    from chadan.exports.models import ExportJob
    from chadan.search.order_query import OrderQuery

    whole, data = export(owner(shop), format=format)
    job = services.request_export(owner(shop), OrderQuery(), format=format, defer=False)
    ExportJob.objects.filter(pk=job.pk).update(upto=whole.upto)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(job.pk)], check=False, env=environment())
    assert killed.returncode == -signal.SIGKILL
    job.refresh_from_db()
    assert job.state == "running"
    assert 0 < job.rows_done < ROWS
    growing = files.spool_path(job.pk) if format == "parquet" else files.part_path(job.pk)
    with growing.open("ab") as file:
        file.write(b"a batch that was cut short")
    seen = []
    runner.run(job, lambda done, _total: seen.append(done), slow())
    assert seen[1] > 7, "it began from the start again"
    _, path = services.open_download(owner(shop), job.pk)
    assert path.read_bytes() == data
    assert job.sha256 == whole.sha256
    assert [file.name for file in files.folder().glob(f"{job.pk}*")] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600


KILLED = """
import os, signal, sys
import django
django.setup()
from chadan.exports import runner
from chadan.exports.models import ExportJob
def progress(done, total):
    if done > 30:
        os.kill(os.getpid(), signal.SIGKILL)
runner.run(ExportJob.objects.get(pk=sys.argv[1]), progress, runner.Pace(chunk_rows=7, checkpoint_seconds=0))
"""


def environment(**more):
    return {**os.environ, "PYTHONPATH": "src", "DJANGO_SETTINGS_MODULE": "chadan.platform.settings", **more}


FULL = """
import resource, sys
import django
django.setup()
from chadan.exports import runner
from chadan.exports.models import ExportJob
from chadan.platform.errors import ChadanError
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    runner.run(ExportJob.objects.get(pk=sys.argv[1]), None, runner.Pace(chunk_rows=7, checkpoint_seconds=0))
except ChadanError as error:
    print(error.code)
"""


def test_a_full_disk_fails_with_a_sentence_and_can_be_tried_again(shop):
    from chadan.exports import files, runner, services
    from chadan.search.order_query import OrderQuery

    job = services.request_export(owner(shop), OrderQuery(), format="csv", defer=False)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(job.pk)], check=True, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.strip() == "export_failed"
    job.refresh_from_db()
    assert job.state == "failed"
    assert "磁盘已满" in job.error
    assert not list(files.folder().glob(f"{job.pk}*"))
    with pytest.raises(Conflict):
        services.open_download(owner(shop), job.pk)
    again = services.retry_export(owner(shop), job.pk)
    runner.run(again, None, slow())
    assert again.state == "done"
    assert again.rows_done == ROWS


def test_cancelling_stops_the_writing_and_removes_the_file(shop):
    from chadan.exports import files, runner, services
    from chadan.exports.errors import ExportCancelled
    from chadan.search.order_query import OrderQuery

    job = services.request_export(owner(shop), OrderQuery(), format="xlsx", defer=False)

    def cancel(done, total):
        if done:
            services.cancel_export(owner(shop), job.pk)

    with pytest.raises(ExportCancelled):
        runner.run(job, once(cancel), slow())
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert not list(files.folder().glob(f"{job.pk}*"))
    with pytest.raises(Conflict):
        services.cancel_export(owner(shop), job.pk)


def once(call):
    """`call` until it was made with rows done."""
    made = []

    def progress(done, total):
        if done and not made:
            made.append(done)
            call(done, total)

    return progress


@pytest.mark.parametrize("format", ["csv", "xlsx", "parquet"])
def test_no_rows_make_a_valid_file_with_its_heading(shop, format, tmp_path):  # noqa: A002
    from chadan.search.order_query import OrderQuery

    query = OrderQuery.from_dict({"platform": ["nowhere"]})
    job, data = export(owner(shop), query=query, format=format, columns=["order_no", "amount"])
    assert job.rows_total == job.rows_done == 0
    if format == "csv":
        assert lines(data) == [["订单号", "金额"]]
    elif format == "xlsx":
        [row] = openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True)
        assert row == ("订单号", "金额")
    else:
        path = tmp_path / "none.parquet"
        path.write_bytes(data)
        assert duckdb.sql(f"from '{path}'").columns == ["order_no", "amount"]


def test_filters_search_selection_sort_and_limit_choose_the_rows(shop):
    from chadan.search.order_query import OrderQuery

    def numbers(data):
        return [int(row[0]) for row in lines(data)[1:]]

    def chosen(**fields):
        wanted = {"format": "csv", "columns": ["order_no"]}
        selection = fields.pop("selection", None)
        view = fields.pop("view", "")
        query = OrderQuery.from_dict(fields)
        return numbers(export(owner(shop), query=query, selection=selection, view=view, **wanted)[1])

    newest_first = sorted(shop.orders, reverse=True)
    assert chosen(status=["pending_payment"]) == [one for one in newest_first if shop.orders.index(one) % 4 == 0]
    assert chosen(account={"suffix": "0012"}) == [shop.orders[12]]
    assert chosen(account={"prefix": "138"}) == [one for one in newest_first if one != shop.orders[7]]
    assert chosen(sort={"by": "placed_at", "dir": "asc"}, limit=20) == sorted(shop.orders)[:20]
    assert chosen(selection=[shop.orders[3], shop.orders[9], 1]) == [shop.orders[9], shop.orders[3]]
    assert chosen(view="agent") == [one for one in newest_first if shop.orders.index(one) % 5 == 0]


def test_orders_placed_after_the_request_stay_out(shop):
    from tests.support.people import make_order, make_shop, make_version

    from chadan.exports import runner, services
    from chadan.search.order_query import OrderQuery

    fresh = make_shop(orders=3)
    job = services.request_export(owner(fresh), OrderQuery(), format="csv", defer=False)
    at = datetime.now(UTC) + timedelta(seconds=5)
    make_order(fresh.merchant, fresh.buyer.buyer, make_version(fresh.merchant), at=at)
    runner.run(job)
    assert job.rows_done == 3


def test_a_role_takes_no_more_than_its_limit(shop, monkeypatch):
    from chadan.exports import limits, runner, services
    from chadan.exports.errors import ExportTooLarge
    from chadan.platform.config import get_config
    from chadan.search.order_query import OrderQuery

    support = actor(shop.staff["support"])
    small = replace(get_config(), export_rows={**get_config().export_rows, "support": 10})
    monkeypatch.setattr(limits, "get_config", lambda: small)
    with pytest.raises(ExportTooLarge, match="10"):
        services.request_export(support, OrderQuery(), format="csv", defer=False)
    monkeypatch.setattr(services, "QUICK_COUNT", 5)
    job = services.request_export(support, OrderQuery(), format="csv", defer=False)
    with pytest.raises(ExportTooLarge):
        runner.run(job)
    assert job.state == "failed"


def test_nobody_reaches_anothers_export(shop, other):
    from tests.support.people import acting

    from chadan.exports import services
    from chadan.exports.models import ExportJob

    job, _ = export(actor(shop.staff["finance"]), format="csv")
    strangers = [owner(other), acting(shop.buyer), acting(shop.agent_owner), actor(shop.staff["support"])]
    for stranger in strangers:
        for missing in (job.pk, uuid4()):
            with pytest.raises(NotFound):
                services.get_export(stranger, missing)
            with pytest.raises(NotFound):
                services.open_download(stranger, missing)
            with pytest.raises(NotFound):
                services.cancel_export(stranger, missing)
        assert job not in services.list_exports(stranger)
    assert job in services.list_exports(owner(shop))
    assert ExportJob.objects.get(pk=job.pk).state == "done"


def test_others_orders_never_come_along(shop, other):
    from tests.support.people import acting

    rows = lines(export(owner(other), format="csv", selection=shop.orders, columns=["order_no"])[1])
    assert rows == [["订单号"]]
    for who in (acting(shop.buyer), acting(shop.agent_owner)):
        view = "purchases" if who.merchant_id else ""
        taken = {int(row[0]) for row in lines(export(who, format="csv", view=view, columns=["order_no"])[1])[1:]}
        mine = shop.orders if view == "" else shop.orders[::5]
        assert taken == set(mine)


def test_columns_and_masking_follow_the_role(shop):
    from tests.support.people import acting

    from chadan.exports import services
    from chadan.search.order_query import OrderQuery

    def ask(who, **wanted):
        return services.request_export(who, OrderQuery(), format="csv", defer=False, **wanted)

    for role in ("operator", "support"):
        with pytest.raises(Forbidden):
            ask(actor(shop.staff[role]), columns=["order_no", "profit"])
    with pytest.raises(Forbidden):
        ask(acting(shop.buyer), columns=["note"])
    with pytest.raises(Forbidden):
        ask(acting(shop.agent_owner), columns=["cost"], view="purchases")
    with pytest.raises(Forbidden):
        ask(actor(shop.staff["support"]), masked=False)
    with pytest.raises(InvalidInput):
        ask(owner(shop), columns=["card_secret"])
    with pytest.raises(InvalidInput):
        ask(owner(shop), selection=[])
    profit = lines(export(actor(shop.staff["finance"]), format="csv", columns=["order_no", "profit"])[1])[1:]
    assert {row[1] for row in profit} == {"3.00", "0.00"}


def test_who_took_what_is_recorded_and_cannot_be_changed(shop, database):
    from django.db import ProgrammingError, transaction

    from chadan.exports import services
    from chadan.exports.models import AuditEvent

    job, _ = export(owner(shop), format="csv", columns=["order_no", "account"], masked=False)
    events = list(AuditEvent.objects.filter(subject=str(job.pk)).order_by("id"))
    assert [event.type for event in events] == ["export.requested", "export.finished", "export.downloaded"]
    assert events[0].details["columns"] == ["order_no", "account"]
    assert events[0].details["masked"] is False
    assert events[0].actor["name"] == owner(shop).name
    assert events[1].details == {"rows": ROWS, "sha256": job.sha256}
    for change in (events[0].delete, lambda: AuditEvent.objects.filter(pk=events[0].pk).update(type="x")):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            change()
    services.open_download(owner(shop), job.pk)
    assert AuditEvent.objects.filter(subject=str(job.pk), type="export.downloaded").count() == 2


def test_files_expire(shop):
    from django.utils import timezone

    from chadan.exports import files, services
    from chadan.exports.errors import ExportGone
    from chadan.exports.models import ExportJob

    job, _ = export(owner(shop), format="csv")
    ExportJob.objects.filter(pk=job.pk).update(expires_at=timezone.now())
    with pytest.raises(ExportGone):
        services.open_download(owner(shop), job.pk)
    assert services.expire_exports() >= 1
    job.refresh_from_db()
    assert job.state == "expired"
    assert not list(files.folder().glob(f"{job.pk}*"))


def test_a_request_reaches_the_worker_with_its_transaction(shop):
    from django.db import connection, transaction
    from procrastinate.contrib.django.models import ProcrastinateJob

    from chadan.exports import services
    from chadan.search.order_query import OrderQuery

    def queued(job):
        return ProcrastinateJob.objects.filter(task_name="exports.run_export", args__export_id=str(job.pk))

    job = services.request_export(owner(shop), OrderQuery(), format="csv")
    assert queued(job).get().args == {"export_id": str(job.pk)}
    services.cancel_export(owner(shop), job.pk)
    with transaction.atomic():
        lost = services.request_export(owner(shop), OrderQuery(), format="csv")
        transaction.set_rollback(True)
    assert not queued(lost).exists()
    assert connection.in_atomic_block is False
