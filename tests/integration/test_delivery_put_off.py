"""A delivery that meets a lock nobody lets go of is put off, not given up."""

from __future__ import annotations

from types import SimpleNamespace

import psycopg
import pytest

from chadan.platform.config import Address

pytestmark = pytest.mark.integration


def test_a_delivery_that_meets_a_lock_happens_once_that_is_gone(database: Address) -> None:
    from django.db import connection
    from tests.support.stock_ground import jobs, make_card_shop, one, status_of

    from chadan.delivery.tasks import ATTEMPTS, deliver
    from chadan.orders.states import OrderStatus

    shop = make_card_shop()
    shop.import_text("HELD-CARD-0001")
    order_no = shop.order()
    last_try = SimpleNamespace(job=SimpleNamespace(attempts=ATTEMPTS - 1))
    owner = {"host": database.host, "port": database.port, "dbname": database.name, "user": database.user}
    with psycopg.connect(**owner, password=database.password) as stranger:
        stranger.execute("select 1 from orders where order_no = %s for update", (order_no,))
        with connection.cursor() as cursor:
            cursor.execute("set lock_timeout = '50ms'")
        try:
            deliver.func(last_try, order_no=order_no)
        finally:
            connection.close()
    assert jobs("delivery.deliver", order_no) == 1
    assert one("select count(*) from order_events where order_no = %s and type = 'delivery.stuck'", order_no) == 0
    assert status_of(order_no) is OrderStatus.PAID
    deliver.func(last_try, order_no=order_no)
    assert status_of(order_no) is OrderStatus.DELIVERED
