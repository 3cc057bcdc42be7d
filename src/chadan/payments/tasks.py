"""Jobs of the payments room. Their arguments are ids only; each may run twice."""

from __future__ import annotations

import logging

from django.db import close_old_connections
from procrastinate.contrib.django import app

from chadan.payments import healing, looks, refunding, refunds
from chadan.platform import jobs

log = logging.getLogger(__name__)


@app.task(name="payments.heal", priority=-10)  # a gateway that hangs must not keep deliveries waiting
def heal(order_no: int, seq: int) -> None:
    """Looks at an attempt that nobody has heard of: defers the next look, then asks the gateway."""
    close_old_connections()
    healing.look(order_no, seq)


@app.periodic(cron="* * * * *")
@app.task(name="payments.sweep", queueing_lock="payments.sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    """Finds unpaid attempts whose jobs were lost, and refunds nobody works on, and asks for them again."""
    close_old_connections()
    found = healing.overdue()
    for order_no, seq in found:
        looks.soon(order_no, seq)
    waiting = refunds.overdue()
    for order_no, seq in waiting:
        name = f"refund:{order_no}:{seq}"
        jobs.defer_once("payments.refund", name, {"order_no": order_no, "seq": seq}, lock=name)
    if found or waiting:
        log.info("payments swept", extra={"unpaid": len(found), "refunds": len(waiting), "at": timestamp})


@app.task(name="payments.refund")
def refund(order_no: int, seq: int) -> None:
    """Sends one refund, or asks what became of it."""
    close_old_connections()
    refunding.run(order_no, seq)
