"""Jobs that never succeed (row 15)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.support.fault_ground import Ground
from tests.support.waiting import eventually


def poisoned(ground: Ground, task: str, **args: Any) -> int:
    """Puts a job into the queue that cannot succeed; returns its id."""
    return int(
        ground.site.one(
            "insert into procrastinate_jobs (queue_name, task_name, priority, args, status)"
            " values ('default', %s, 5, %s::jsonb, 'todo') returning id",
            task,
            json.dumps(args),
        )
    )


def test_row_15_jobs_that_cannot_succeed_do_not_stop_the_queue(ground: Ground) -> None:
    site, shop = ground.site, ground.shop(3)
    jobs = [
        poisoned(ground, "no.such.task", order_no=1),
        poisoned(ground, "payments.refund", order_no=1, seq=1),
        poisoned(ground, "payments.heal", wrong="argument"),
    ]
    order_no, out_no = ground.begin(shop)
    ground.sandbox.pay(out_no, "epay1")
    site.becomes(order_no, "delivered", 60)
    states = "select status::text from procrastinate_jobs where id = any(%s)"
    eventually(lambda: {row[0] for row in site.rows(states, jobs)} == {"failed"}, "their end", 60)
    ground.record(
        "15 short",
        "jobs of an unknown task, for an order there is none of, with wrong arguments",
        "dead-letter; queue flows",
        f"{len(jobs)} of {len(jobs)} failed for good, an order placed after them delivered",
        [order_no],
    )


@pytest.mark.long
def test_row_15_an_order_nobody_can_deliver_is_given_up_with_a_reason(ground: Ground) -> None:
    site, shop = ground.site, ground.shop(4)
    order_no, out_no = ground.begin(shop)
    site.rows(
        "create function poison() returns trigger language plpgsql as $$ begin raise exception 'poison'; end $$;"
        f"create trigger poison before insert on order_cards for each row when (new.order_no = {order_no})"
        " execute function poison()"
    )
    try:
        ground.sandbox.pay(out_no, "epay1")
        began = time.monotonic()
        other, other_no = ground.begin(shop)
        ground.sandbox.pay(other_no, "epay1")
        site.becomes(other, "delivered", 60)
        stuck = "select count(*) from order_events where order_no = %s and type = 'delivery.stuck'"
        eventually(lambda: site.one(stuck, order_no), "its end", 180)
        seconds = time.monotonic() - began
        assert site.status(order_no) == "paid"
        reason = site.one("select reason from order_deliveries where order_no = %s order by seq desc limit 1", order_no)
        assert reason
    finally:
        site.rows("drop function poison() cascade")
    ground.record(
        "15",
        "an order whose delivery always fails",
        "dead-letter; queue flows",
        f"given up after 6 tries and {seconds:.0f} s with a reason for staff; the next order was delivered meanwhile",
        [order_no, other],
    )
