"""Exports against a real database: every format, resuming, cancelling, and which rows they hold."""

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
from tests.support.export_ground import HOSTILE, ROWS, export, lines, owner, shop, slow

from chadan.orders import number
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound

pytestmark = pytest.mark.integration


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


HOSTILE_TITLES = ["=1+1", 'a "quoted" one', "parted\x1eby\x1dcontrols", "line\r\nbreak", "-5 元"]


@pytest.mark.parametrize("kept", [1, 50_000])
def test_words_behind_ids_are_right_however_few_are_remembered(shop, monkeypatch, kept):
    """Products and buyers are looked up once for many orders: hostile ones, forgotten ones and ones met again."""
    from tests.support.people import make_order, make_shop, make_version

    from chadan.accounts.models import Buyer
    from chadan.exports import derived

    monkeypatch.setattr(derived, "_KEPT", kept)
    ground = make_shop(orders=0)
    versions = [make_version(ground.merchant) for _ in HOSTILE_TITLES]
    for version, title in zip(versions, HOSTILE_TITLES, strict=True):
        type(version).objects.filter(pk=version.pk).update(title=title)
    buyers = [
        Buyer.objects.create(realm=f"test {kept}", login=f"{ground.merchant.pk}-{place}", name=f"@b\x1e{place}")
        for place in range(3)
    ]
    start = datetime.now(UTC) - timedelta(days=2)
    expected = []
    for index in range(40):
        version, buyer, agent = index % 5, index % 3, ground.agent if index % 2 else None
        at = start + timedelta(minutes=index)
        account = "a\x1eb" if index == 20 else "13800138000"
        make_order(ground.merchant, buyers[buyer], versions[version], agent=agent, at=at, account=account)
        title = ("'" if HOSTILE_TITLES[version][0] in "=-" else "") + HOSTILE_TITLES[version]
        shown = at.astimezone(number.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        expected.append([shown, title, f"{account}\t", f"'@b\x1e{buyer}", agent.name if agent else ""])
    names = ["placed_at", "product", "account", "buyer", "agent"]
    _, data = export(owner(ground), format="csv", columns=names, masked=False)
    assert lines(data)[1:] == expected[::-1]


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
