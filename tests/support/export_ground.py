"""Ground of the export tests: a shop with hostile texts, and exports run to their end."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

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
