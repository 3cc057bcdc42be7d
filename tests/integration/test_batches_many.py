"""全部 N 条: what a list means on all its pages, looked up by a job, worked off in chunks, in memory that does not grow with it."""

from __future__ import annotations

import time
import tracemalloc

import pytest

pytestmark = pytest.mark.integration
MANY = 12_000


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.batched import bare_orders
    from tests.support.people import make_shop

    shop = make_shop(1)
    shop.orders = bare_orders(shop, MANY)
    return shop


def test_all_of_a_long_list_is_frozen_by_a_job_and_tagged_and_put_back(shop):
    from tests.support.batched import confirmed, go, owner_rows, ready, undone
    from tests.support.people import acting

    from chadan.platform.errors import Conflict
    from chadan.search.order_query import OrderQuery
    from chadan.search.summaries import summarise

    query = OrderQuery(platform=("bare",))
    batch = ready(shop, "tag", query=query, tag="all")
    assert batch.state == "preparing" and 0 < batch.total < MANY
    with pytest.raises(Conflict):
        confirmed(batch)
    tracemalloc.start()
    go(batch)
    told = summarise(acting(shop.staff["owner"]).scope, query.replace(intent="sum"))
    assert (
        (batch.state, batch.able, batch.able_amount)
        == ("ready", told.orders, told.value)
        == ("ready", MANY, MANY * 100)
    )
    began = time.monotonic()
    go(confirmed(batch))
    tagging = time.monotonic() - began
    assert (batch.state, batch.done, batch.skipped, batch.failed) == ("done", MANY, 0, 0)
    began = time.monotonic()
    undone(batch)
    undoing = time.monotonic() - began
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (batch.state, batch.undone, batch.kept) == ("undone", MANY, 0)
    counted = "select type, count(*), count(distinct order_no) from order_events where order_no = any(%s) group by 1 order by 1"
    assert owner_rows(counted, shop.orders) == [("tag.added", MANY, MANY), ("tag.removed", MANY, MANY)]
    assert owner_rows("select count(*) from orders where order_no = any(%s) and tags is not null", shop.orders) == [
        (0,)
    ]
    print(f"{MANY} orders: tagged in {tagging:.1f} s, undone in {undoing:.1f} s, peak {peak / 1e6:.1f} MB")
    assert peak < 8_000_000, f"{peak / 1e6:.1f} MB: the set is held in memory"


def test_a_filter_too_slow_to_wait_for_is_left_to_the_job(shop, monkeypatch):
    from tests.support.batched import go, ready

    from chadan.batches import freezing
    from chadan.platform.scope import scoped
    from chadan.search.order_query import OrderQuery

    real = freezing.numbers_after

    def slow(*given, **named):
        if named["seconds"]:
            with scoped(given[0]) as session:
                session.rows("select set_config('statement_timeout', '50', true)")
                session.rows("select pg_sleep(2)")
        return real(*given, **named)

    monkeypatch.setattr(freezing, "numbers_after", slow)
    batch = ready(shop, "note", query=OrderQuery(platform=("bare",)), note="n")
    assert (batch.state, batch.total) == ("preparing", 0)
    assert go(batch).able == MANY


def test_cancelling_while_the_orders_are_looked_up_leaves_nothing_to_confirm(shop):
    from tests.support.batched import go, ready
    from tests.support.people import acting

    from chadan.batches import services
    from chadan.search.order_query import OrderQuery

    batch = ready(shop, "note", query=OrderQuery(platform=("bare",)), note="n")
    services.cancel(acting(batch.user), batch.pk)
    assert go(batch).state == "cancelled" and batch.total < MANY


def test_an_export_holds_exactly_what_was_frozen(shop):
    from tests.support.batched import go, owner_rows, ready
    from tests.support.people import acting

    from chadan.exports import runner, services
    from chadan.orders import number
    from chadan.search.order_query import OrderQuery

    batch = go(ready(shop, "export", query=OrderQuery(platform=("bare",)), role="finance"))
    owner_rows("update orders set platform = 'else' where order_no = %s", shop.orders[0])
    actor = acting(shop.staff["finance"])
    job = services.request_export(actor, OrderQuery(), format="csv", columns=["order_no"], frozen=batch.pk, defer=False)
    runner.run(job, None, runner.Pace(chunk_rows=1000))
    _job, path = services.open_download(actor, job.pk)
    lines = path.read_bytes().decode("utf-8-sig").splitlines()[1:]
    assert [line.strip('"\t') for line in lines] == [number.text(one) for one in reversed(shop.orders)]
    assert job.rows_total == MANY


def test_results_are_read_by_index_whatever_their_number(shop):
    """A page of a state of a large batch walks the index: nothing is sorted, nothing read in vain."""
    from tests.support.batched import go, ready, worked
    from tests.support.people import acting

    from chadan.batches import rows
    from chadan.platform.scope import scoped
    from chadan.search.order_query import OrderQuery

    batch = worked(go(ready(shop, "tag", query=OrderQuery(platform=("bare",)), tag="plan")))
    with scoped(acting(shop.staff["owner"]).scope) as session:
        page = {"batch": batch.pk, "after": shop.orders[6000], "limit": 51}
        for sql, params in (
            (rows._NEXT, (batch.pk, 1, 500)),
            (rows._PAGE.format(""), page),
            (rows._PAGE.format(rows._IN_STATE), {**page, "state": 1}),
        ):
            plan = "\n".join(row[0] for row in session.rows(f"explain {sql}", params))
            assert "Index Scan" in plan and "Sort" not in plan, plan
