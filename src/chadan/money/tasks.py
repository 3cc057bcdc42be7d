"""Jobs of the money room."""

from __future__ import annotations

from django.db import close_old_connections
from procrastinate.contrib.django import app

from chadan.money import closing


@app.periodic(cron="*/10 * * * *")
@app.task(name="money.close_days", queueing_lock="money.close_days", pass_context=False)
def close_days(timestamp: int) -> None:  # noqa: ARG001 - procrastinate gives it
    """Closes yesterday once it is over; a day that could not be closed is tried again."""
    close_old_connections()
    closing.close_days()
