"""Jobs of the payments room. Their arguments are ids only; each may run twice."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import close_old_connections, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from chadan.orders import number
from chadan.payments.records import Attempt

log = logging.getLogger(__name__)
STEPS = (30, 60, 120, 300, 900, 3600)
"""Seconds after its start at which an unpaid attempt is asked about."""
BEFORE_EXPIRY = timedelta(seconds=20)


@app.task(name="payments.heal", priority=-10)  # a gateway that hangs must not keep deliveries waiting
def heal(order_no: int, seq: int) -> None:
    """Asks the gateway about an attempt that nobody has heard of."""
    close_old_connections()
    from chadan.payments import healing

    healing.ask(order_no, seq)


def defer_heals(attempt: Attempt) -> None:
    """Defers every look at a new attempt, in the transaction that starts it: at STEPS, and before it expires."""
    times = {attempt.created_at + timedelta(seconds=step) for step in STEPS}
    if attempt.expires_at is not None:
        times.add(max(attempt.expires_at - BEFORE_EXPIRY, number.now()))
    jobs = [
        heal.configure(schedule_at=time).make_new_job(order_no=attempt.order_no, seq=attempt.seq)
        for time in sorted(times)
    ]
    app.job_manager.batch_defer_jobs(jobs=jobs)


def _once(deferrer: Any, order_no: int, seq: int) -> None:
    """Defers unless the last sweep's job still waits."""
    try:
        with transaction.atomic():
            deferrer.defer(order_no=order_no, seq=seq)
    except AlreadyEnqueued:
        log.debug("still waiting", extra={"order": str(order_no), "seq": seq})


@app.periodic(cron="* * * * *")
@app.task(name="payments.sweep", queueing_lock="payments.sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    """Finds unpaid attempts whose jobs were lost, and refunds nobody works on, and asks for them again."""
    close_old_connections()
    from chadan.payments import healing, refunds

    found = healing.overdue()
    for order_no, seq in found:
        _once(heal.configure(queueing_lock=f"heal:{order_no}:{seq}"), order_no, seq)
    waiting = refunds.overdue()
    for order_no, seq in waiting:
        name = f"refund:{order_no}:{seq}"
        _once(refund.configure(lock=name, queueing_lock=name), order_no, seq)
    if found or waiting:
        log.info("payments swept", extra={"unpaid": len(found), "refunds": len(waiting), "at": timestamp})


@app.task(name="payments.refund")
def refund(order_no: int, seq: int) -> None:
    """Sends one refund, or asks what became of it."""
    close_old_connections()
    from chadan.payments import refunding

    refunding.run(order_no, seq)
