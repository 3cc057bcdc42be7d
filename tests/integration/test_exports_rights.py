"""Exports and rights: limits, whose file it is, columns and masking by role, the record of who took what."""

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
from tests.support.export_ground import ROWS, actor, export, lines, other, owner, shop

from chadan.orders import number
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound

pytestmark = pytest.mark.integration


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
