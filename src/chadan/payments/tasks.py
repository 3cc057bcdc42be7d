"""Jobs of the payments room. Their arguments are ids only; each may run twice."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import close_old_connections
from procrastinate.contrib.django import app

from chadan.orders import number
from chadan.payments.records import Attempt

log = logging.getLogger(__name__)
STEPS = (30, 60, 120, 300, 900, 3600)
"""Seconds after its start at which an unpaid attempt is asked about."""
BEFORE_EXPIRY = timedelta(seconds=20)


@app.task(name="payments.heal")
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


@app.periodic(cron="* * * * *")
@app.task(name="payments.sweep", queueing_lock="payments.sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    """Finds unpaid attempts whose jobs were lost, and refunds nobody works on, and asks for them again."""
    close_old_connections()
    from chadan.payments import healing, refunds

    found = healing.overdue()
    for order_no, seq in found:
        heal.defer(order_no=order_no, seq=seq)
    waiting = refunds.overdue()
    for order_no, seq in waiting:
        refund.configure(lock=f"refund:{order_no}:{seq}").defer(order_no=order_no, seq=seq)
    if found or waiting:
        log.info("payments swept", extra={"unpaid": len(found), "refunds": len(waiting), "at": timestamp})


@app.task(name="payments.refund")
def refund(order_no: int, seq: int) -> None:
    """Sends one refund, or asks what became of it."""
    close_old_connections()
    from chadan.payments import refunding

    refunding.run(order_no, seq)
