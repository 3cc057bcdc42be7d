"""Runs a seed: the plan's months are drawn and copied by as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from multiprocessing.queues import SimpleQueue
from time import monotonic

from chadan.orders.bulk import BulkLoad, fill_month, is_empty
from chadan.orders.lines import Lines
from chadan.platform.config import Address
from chadan.platform.errors import Conflict
from chadan.platform.migrate import connect
from chadan.seeding.draw import Day
from chadan.seeding.plan import BULK, Plan, make_plan
from chadan.seeding.world import World, imagine

BATCH = 4000
SEED = 20_26
ACTOR = {"kind": "system", "role": "seed", "id": None, "name": "seed"}
Progress = Callable[[int], None]


def seed(
    owner: Address, orders: int, until: datetime, *, progress: Progress, number: int = SEED, bulk: bool = False
) -> float:
    """Fills an empty record with `orders` orders placed in the 24 months before `until`; returns the seconds it took.

    The same arguments give the same orders. Needs Django set up. Raises Conflict when there are orders already.
    """
    from chadan.seeding.settle import settle

    started = monotonic()
    plan, world = make_plan(orders, number, until, bulk=bulk), imagine(number)
    with connect(owner) as connection:
        if not is_empty(connection):
            raise Conflict("The order record is not empty.", hint="A seed fills a new database only.")
        settle(world, plan, connection)
        load = BulkLoad(connection)
        load.begin(plan.months)
        processes = min(os.cpu_count() or 1, 8) if orders >= BULK // 5 else 1
        for count in _fill_all(owner, world, plan, processes):
            progress(count)
        load.finish(plan.months)
    return monotonic() - started


def _fill_all(owner: Address, world: World, plan: Plan, processes: int) -> Iterator[int]:
    """Fills every month; yields how many orders each step brought."""
    if processes == 1:
        for month in plan.months:
            yield from _fill(owner, world, plan, month)
        return
    # Fresh interpreters: a fork would share the connections and the keeper's thread of this process.
    context = multiprocessing.get_context("spawn")
    counts: SimpleQueue[int] = context.SimpleQueue()
    with context.Pool(processes, _begin, (owner, world, plan, counts)) as pool:
        # The fullest months first, so that the processes end together.
        months = sorted(plan.months, key=lambda month: -sum(plan.counts[day] for day in _days(plan, month)))
        results = [pool.apply_async(_fill_one, (month,)) for month in months]
        left = plan.orders
        while left:
            while counts.empty() and not any(result.ready() and not result.successful() for result in results):
                next((result for result in results if not result.ready()), results[0]).wait(0.1)
            if counts.empty():
                break
            count = counts.get()
            left -= count
            yield count
        for result in results:
            result.get()


_work: tuple[Address, World, Plan, SimpleQueue[int]] | None = None


def _begin(owner: Address, world: World, plan: Plan, counts: SimpleQueue[int]) -> None:
    global _work  # noqa: PLW0603 - a pool hands its work over this way
    _work = (owner, world, plan, counts)


def _fill_one(month: date) -> None:
    assert _work is not None  # noqa: S101 - `_begin` ran first
    owner, world, plan, counts = _work
    for count in _fill(owner, world, plan, month):
        counts.put(count)


def _fill(owner: Address, world: World, plan: Plan, month: date) -> Iterator[int]:
    steps: list[int] = []
    with connect(owner) as connection:
        connection.execute("set synchronous_commit = off")
        for _ in fill_month(connection, month, _batches(world, plan, month, steps)):
            yield steps[-1]


def _batches(world: World, plan: Plan, month: date, steps: list[int]) -> Iterator[Mapping[str, str]]:
    lines = Lines(ACTOR, plan.until)
    for day in _days(plan, month):
        for record in Day(world, plan, day).orders(plan.counts[day]):
            lines.add(record)
            if lines.count >= BATCH:
                steps.append(lines.count)
                yield lines.take()
    if lines.count:
        steps.append(lines.count)
        yield lines.take()


def _days(plan: Plan, month: date) -> Iterator[int]:
    """The places of the month's days in the plan."""
    day = max(month, plan.first)
    while day.month == month.month and (day - plan.first).days < plan.days:
        yield (day - plan.first).days
        day += timedelta(days=1)
