"""Jobs of the storefront."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from chadan.storefront import limits

log = logging.getLogger(__name__)


@app.periodic(cron="23 * * * *")
@app.task(name="storefront.forget_tries", queueing_lock="storefront.forget_tries", pass_context=False)
def forget_tries(timestamp: int) -> None:
    """Removes guests' counters whose time is over."""
    gone = limits.forget()
    if gone:
        log.info("counters forgotten", extra={"forgotten": gone, "at": timestamp})
