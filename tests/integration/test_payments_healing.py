"""Looks at unpaid attempts, with the clock in the test's hand: what is stored moves into the past, and what is due is run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.integration
JOBS = "from procrastinate_jobs where task_name = 'payments.heal' and (args ->> 'order_no')::bigint = %s"


@pytest.fixture(scope="module")
def till(database):
    from tests.support.paying import open_till

    return open_till()


@pytest.fixture
def bank():
    from tests.support.paying import BANK

    BANK.__init__()
    return BANK


class Clock:
    """An order's own time, in seconds since its payment began. Its worker runs each look when it is due."""

    def __init__(self, order_no: int) -> None:
        self.order_no = order_no
        self.second = 0.0

    def waiting(self) -> list[tuple[int, float]]:
        """(job, seconds until it is due) of the looks in the queue."""
        from tests.support.paying import owner_rows

        rows = owner_rows(
            "select id, coalesce(extract(epoch from scheduled_at - now()), 0)::float8"
            f" {JOBS} and status = 'todo' order by 2",
            self.order_no,
        )
        return [(job, max(due, 0.0)) for job, due in rows]

    def forward(self, seconds: float) -> None:
        """Time passes."""
        from tests.support.paying import owner_run

        span = timedelta(seconds=seconds)
        owner_run(
            "update order_payments set created_at = created_at - %s, queried_at = queried_at - %s,"
            " expires_at = expires_at - %s where order_no = %s",
            *(span, span, span, self.order_no),
        )
        owner_run(
            "update procrastinate_jobs set scheduled_at = scheduled_at - %s where status = 'todo' and"
            " (args ->> 'order_no')::bigint = %s",
            *(span, self.order_no),
        )
        self.second += seconds

    def take(self) -> int:
        """A worker takes the next look at its time."""
        from tests.support.paying import owner_run

        job, due = self.waiting()[0]
        self.forward(due + 0.2)
        owner_run("update procrastinate_jobs set status = 'doing' where id = %s", job)
        return job

    def finish(self, job: int) -> None:
        from tests.support.paying import owner_run

        owner_run("update procrastinate_jobs set status = 'succeeded' where id = %s", job)

    def look(self) -> None:
        """The next look, at its time."""
        from chadan.payments.tasks import heal

        job = self.take()
        heal(self.order_no, 1)
        self.finish(job)


def begun(till: Any) -> tuple[Clock, str]:
    order_no = till.order()
    return Clock(order_no), till.start(order_no)


@pytest.mark.parametrize("minutes", [0, 0.9, 3, 5.1, 7.5, 14.9, 16, 29])
def test_a_lost_callback_is_paid_within_two_minutes_of_any_moment(till: Any, bank: Any, minutes: float) -> None:
    clock, out_no = begun(till)
    while clock.second + clock.waiting()[0][1] < minutes * 60:
        clock.look()
    clock.forward(minutes * 60 - clock.second)
    bank.pay(out_no)
    while till.state(clock.order_no)[0] != "paid":
        clock.look()
    assert clock.second - minutes * 60 <= 120
    assert len(clock.waiting()) <= 1
    asked = len(bank.queries)
    for _job in clock.waiting():
        clock.look()
    assert clock.waiting() == [] and len(bank.queries) == asked, "a paid order is not asked about"


def test_nobody_pays_and_the_gateway_is_asked_25_times(till: Any, bank: Any) -> None:
    clock, out_no = begun(till)
    while clock.waiting():
        assert len(clock.waiting()) == 1
        clock.look()
    assert bank.queries == [out_no] * 25
    assert abs(clock.second - 3600) < 10, "the last mark"


@pytest.mark.parametrize("back", [1, 59, 61, 130, 271, 400])
def test_a_gateway_that_was_away_tells_within_two_minutes_of_its_return(
    till: Any, bank: Any, monkeypatch: pytest.MonkeyPatch, back: float
) -> None:
    from chadan.payments import healing

    clock, out_no = begun(till)
    monkeypatch.setattr(healing, "monotonic", lambda: clock.second)
    healing.silent.clear()
    bank.down = True
    while clock.second + clock.waiting()[0][1] < back:
        clock.look()
    clock.forward(back - clock.second)
    bank.down = False
    bank.pay(out_no)
    while till.state(clock.order_no)[0] != "paid":
        clock.look()
    assert clock.second - back <= 120


def test_a_gateway_that_hangs_does_not_keep_the_others_waiting(
    till: Any, bank: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chadan.payments import healing
    from chadan.payments.tasks import heal

    second = 0.0
    monkeypatch.setattr(healing, "monotonic", lambda: second)
    healing.silent.clear()
    many = [begun(till)[0].order_no for _ in range(5)]
    other = till.order()
    out_no = till.start(other, "doubted")
    bank.down = True
    for order_no in many:
        heal(order_no, 1)
    assert len(bank.queries) == 1, "one question a channel and half minute"
    bank.down = False
    bank.pay(out_no)
    heal(other, 1)
    assert till.state(other)[0] == "paid", "other gateways are asked as ever"
    second = healing.QUIET
    for order_no in many:
        heal(order_no, 1)
    assert len(bank.queries) == 2 + len(many)


@pytest.mark.parametrize("asked", [False, True], ids=["before asking", "after asking"])
def test_looks_go_on_after_a_worker_is_killed(till: Any, bank: Any, asked: bool) -> None:
    import asyncio

    from procrastinate.contrib.django import app
    from tests.support.paying import owner_rows

    from chadan.payments.tasks import heal
    from chadan.platform.worker import give_back_stalled

    async def supervise() -> None:
        with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
            async with worker_app.open_async():
                await give_back_stalled(worker_app.job_manager)

    clock, out_no = begun(till)
    job = clock.take()
    if asked:
        heal(clock.order_no, 1)
    bank.pay(out_no)
    asyncio.run(supervise())  # the worker is gone: nobody finished the job
    assert owner_rows("select status::text, attempts from procrastinate_jobs where id = %s", job) == [("todo", 1)]
    clock.look()
    assert till.state(clock.order_no)[0] == "paid"
    assert len(clock.waiting()) == 1, "the look after, once"


def test_a_look_that_ran_twice_leaves_one_next_look(till: Any, bank: Any) -> None:
    from chadan.payments.tasks import heal

    clock, _out_no = begun(till)
    heal(clock.order_no, 1)
    heal(clock.order_no, 1)
    assert len(clock.waiting()) == 1
    clock.look()
    assert len(clock.waiting()) == 1


def test_the_sweep_takes_up_looks_that_were_lost(till: Any, bank: Any) -> None:
    from tests.support.paying import owner_run

    from chadan.payments import healing
    from chadan.payments.looks import PACE
    from chadan.payments.tasks import sweep

    clock, out_no = begun(till)
    for _ in range(8):
        clock.look()
    owner_run(f"delete {JOBS} and status = 'todo'", clock.order_no)
    clock.forward(PACE + healing.GRACE - 5)
    assert (clock.order_no, 1) not in healing.overdue()
    clock.forward(10)
    assert (clock.order_no, 1) in healing.overdue()
    sweep(0)
    bank.pay(out_no)
    clock.look()
    assert till.state(clock.order_no)[0] == "paid"


def test_a_payment_page_that_stays_open_has_the_gateway_asked(till: Any, bank: Any) -> None:
    from django.test import Client

    from chadan.orders import number

    clock, out_no = begun(till)
    client = Client()
    client.force_login(till.shop.buyer)
    page = f"/pay/{number.text(clock.order_no)}/1/"
    poll = {"HX-Request": "true", "HX-Target": "payment"}

    def soon() -> int:
        return sum(1 for _job, due in clock.waiting() if not due)

    assert client.get(page, headers=poll).status_code == 200
    assert soon() == 0, "it has only begun"
    clock.forward(21)
    for _ in range(3):
        client.get(page, headers=poll)
    assert soon() == 1
    bank.pay(out_no)
    clock.look()
    assert till.state(clock.order_no)[0] == "paid"
    client.get(page, headers=poll)
    assert soon() == 0, "a paid order is not asked about"
    assert bank.queries == [out_no]
