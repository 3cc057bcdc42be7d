"""A worker that is killed while it delivers: the order is delivered once, by the next one (trust model, row 3)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chadan.platform.processes import tied

pytestmark = [pytest.mark.integration, pytest.mark.fault, pytest.mark.usefixtures("database")]
ROOT = Path(__file__).resolve().parents[2]


def start_worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        tied(sys.executable, "-m", "chadan.platform.worker"),
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_killed_worker_leaves_one_card_to_one_order() -> None:
    from django.db import connections, transaction
    from tests.support.stock_ground import make_card_shop, one, status_of
    from tests.support.waiting import eventually

    from chadan.delivery.tasks import deliver
    from chadan.orders.states import OrderStatus

    shop = make_card_shop()
    shop.import_text("KILLED-CARD-0001", "KILLED-CARD-0002")
    order_no = shop.order()
    deliver.defer(order_no=order_no)
    waits = "select count(*) from pg_locks where not granted and relation = 'order_deliveries'::regclass"
    with transaction.atomic(using="owner"):
        with connections["owner"].cursor() as cursor:  # the worker has claimed its card when it meets this lock
            cursor.execute("lock table order_deliveries in exclusive mode")
        worker = start_worker()
        try:
            eventually(lambda: one(waits), "the claim")
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait(10)
    eventually(lambda: not one("select count(*) from stock_cards where order_no = %s", order_no), "the rollback")
    assert status_of(order_no) is OrderStatus.PAID
    with connections["owner"].cursor() as cursor:  # the dead worker's heart has been still for a minute
        cursor.execute("update procrastinate_workers set last_heartbeat = now() - interval '5 minutes'")
    worker = start_worker()  # it looks for jobs of dead workers as soon as it starts
    try:
        eventually(lambda: status_of(order_no) is OrderStatus.DELIVERED, "the delivery")
    finally:
        worker.terminate()
        worker.wait(20)
    assert one("select count(*) from order_cards where order_no = %s", order_no) == 1
    assert one("select count(*) from stock_cards where order_no = %s", order_no) == 1
