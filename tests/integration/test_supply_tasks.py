"""The jobs of suppliers and agents: known to the worker by name, and doing what they are named for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("database")]
JOBS = {
    "follow",
    "first_call",
    "follow_lost",
    "purchase_done",
    "tell_agent",
    "follow_purchases",
    "sync",
    "sync_supplier",
}


@pytest.fixture(scope="module")
def suppliers(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.support.supplied import suppliers_running

    with suppliers_running(tmp_path_factory.mktemp("suppliers")) as running:
        yield running


def test_the_worker_knows_every_job() -> None:
    from procrastinate.contrib.django import app

    assert {f"delivery.{name}" for name in JOBS} | {"api.forget_answers"} <= set(app.tasks)


def test_lost_purchases_are_taken_up(suppliers: Any) -> None:
    from django.db import connections
    from tests.support.stock_ground import jobs, status_of
    from tests.support.supplied import supplied_shop

    from chadan.delivery import supply_tasks
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    shop = supplied_shop(suppliers, "dujiao")
    suppliers.fault("late", protocol="dujiao")
    order_no = shop.order()
    deliver(order_no)
    supply_tasks.follow_lost(0)
    assert jobs("delivery.follow", order_no) == 1
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "update order_deliveries set asked_at = now() - interval '21 min' where order_no = %s", [order_no]
        )
    supply_tasks.follow_lost(0)
    assert jobs("delivery.follow", order_no) == 2
    supply_tasks.follow(order_no, 1)
    assert status_of(order_no) is OrderStatus.DELIVERED


def test_sales_are_carried_on_by_the_jobs_alone() -> None:
    from tests.support.agency import make_agency
    from tests.support.stock_ground import jobs, status_of

    from chadan.delivery import supply_tasks
    from chadan.delivery.dispatch import deliver
    from chadan.orders.states import OrderStatus

    agency = make_agency(wallet=0)
    agency.above.import_text("JOBS-0001-CARD")
    sale = agency.sale()
    before = jobs("delivery.deliver", sale)
    deliver(sale)
    supply_tasks.follow_purchases(60)
    assert jobs("delivery.deliver", sale) == before
    supply_tasks.follow_purchases(300)
    assert jobs("delivery.deliver", sale) == before + 1
    agency.top_up(900)
    deliver(sale)
    purchase = agency.purchase_of(sale)
    deliver(purchase)
    supply_tasks.follow_purchases(60)
    assert jobs("delivery.purchase_done", purchase) == 2
    supply_tasks.purchase_done(purchase)
    assert status_of(sale) is OrderStatus.DELIVERED


def test_a_round_of_syncing_asks_every_active_supplier_and_survives_a_dead_one(suppliers: Any) -> None:
    from tests.support.stock_ground import one
    from tests.support.supplied import supplied_shop

    from chadan.catalog.models import Supplier
    from chadan.delivery import supply_tasks

    shop = supplied_shop(suppliers, "acg", "dujiao")
    alive, dead = Supplier.objects.filter(merchant=shop.merchant).order_by("pk")
    Supplier.objects.filter(pk=dead.pk).update(base_url="http://127.0.0.1:9")
    supply_tasks.sync(0)
    for supplier in (alive, dead):
        told = "select count(*) from procrastinate_jobs where task_name = 'delivery.sync_supplier'"
        assert one(f"{told} and (args ->> 'supplier_id')::bigint = %s", supplier.pk) == 1
        supply_tasks.sync_supplier(supplier.pk)
        supplier.refresh_from_db()
    assert alive.balance is not None and dead.balance is None and dead.failures == 1


def test_old_answers_are_forgotten() -> None:
    from datetime import timedelta

    from django.utils import timezone
    from tests.support.people import make_merchant

    from chadan.api import tasks
    from chadan.api.models import IdempotentAnswer

    merchant = make_merchant()
    fields = {"merchant": merchant, "route": "r", "body_hash": b"x", "status": 201, "body": "{}"}
    old = IdempotentAnswer.objects.create(key="old", **fields)
    IdempotentAnswer.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    IdempotentAnswer.objects.create(key="new", **fields)
    tasks.forget_answers(0)
    assert list(IdempotentAnswer.objects.filter(merchant=merchant).values_list("key", flat=True)) == ["new"]
