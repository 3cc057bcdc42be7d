"""Jobs about suppliers and agents. Their arguments are ids only."""

from __future__ import annotations

import logging

from django.db import close_old_connections
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from chadan.delivery import procurement, reselling, supplier_rows, supply_orders, supply_sync
from chadan.platform import jobs
from chadan.platform.errors import ChadanError

log = logging.getLogger(__name__)
_AGAIN = RetryStrategy(max_attempts=6, exponential_wait=3)


@app.task(name="delivery.follow", retry=_AGAIN)
def follow(order_no: int, seq: int) -> None:
    """Asks a supplier what became of a purchase."""
    close_old_connections()
    procurement.follow(order_no, seq)


@app.task(name="delivery.first_call", retry=_AGAIN)
def first_call(order_no: int, seq: int) -> None:
    """Makes a purchase that was written while a callback was answered."""
    close_old_connections()
    procurement.first_call(order_no, seq)


@app.periodic(cron="*/5 * * * *")
@app.task(name="delivery.follow_lost", queueing_lock="delivery.follow_lost", pass_context=False)
def follow_lost(timestamp: int) -> None:
    """Takes up purchases whose job was lost: the longest pause is 15 minutes."""
    close_old_connections()
    lost = supplier_rows.lost("20 minutes")
    for order_no, seq in lost:
        follow.defer(order_no=order_no, seq=seq)
    if lost:
        log.info("lost purchases taken up", extra={"purchases": len(lost), "at": timestamp})


@app.task(name="delivery.purchase_done", retry=_AGAIN)
def purchase_done(order_no: int) -> None:
    """Lets a purchase's sale come to what the purchase came to, cost what it kept, and the agent's own system hear of it."""
    close_old_connections()
    reselling.purchase_done(order_no)
    reselling.given_back(order_no)
    supply_orders.changed(order_no)


@app.task(name="delivery.tell_of_return", retry=RetryStrategy(max_attempts=5, exponential_wait=5))
def tell_of_return(order_no: int, purchase_no: int) -> None:
    """Mails an agent's owners that money of a purchase went back into their wallet."""
    close_old_connections()
    from chadan.delivery import return_mail

    return_mail.send(order_no, purchase_no)


@app.task(name="delivery.tell_agent")
def tell_agent(order_no: int, attempt: int) -> None:
    """Sends an agent's callback; it comes back by itself when nobody took it."""
    close_old_connections()
    supply_orders.tell(order_no, attempt)


@app.periodic(cron="* * * * *")
@app.task(name="delivery.follow_purchases", queueing_lock="delivery.follow_purchases", pass_context=False)
def follow_purchases(timestamp: int) -> None:
    """Takes up sales whose purchase ended unnoticed, and every five minutes those that waited for money in a wallet."""
    close_old_connections()
    for purchase_no in reselling.settled():
        purchase_done.defer(order_no=purchase_no)
    if timestamp // 60 % 5 == 0:
        for order_no in reselling.waiting_for_money():
            jobs.job("delivery.deliver").defer(order_no=order_no)


@app.periodic(cron="*/10 * * * *")
@app.task(name="delivery.sync", queueing_lock="delivery.sync", pass_context=False)
def sync(timestamp: int) -> None:  # noqa: ARG001 - procrastinate's periodic tasks are told the time
    """Asks every active supplier for prices, stock and balance, each in a job of its own."""
    close_old_connections()
    for supplier_id in supply_sync.due():
        sync_supplier.configure(lock=f"sync:{supplier_id}").defer(supplier_id=supplier_id)


@app.task(name="delivery.sync_supplier")
def sync_supplier(supplier_id: int) -> None:
    """Asks one supplier; one that does not answer is asked again with the next round."""
    close_old_connections()
    try:
        supply_sync.sync(supplier_id)
    except ChadanError as error:
        log.info("supplier not synchronised", extra={"supplier": supplier_id, "reason": error.code})
