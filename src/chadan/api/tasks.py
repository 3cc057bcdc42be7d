"""Jobs of the API room."""

from __future__ import annotations

from django.db import close_old_connections
from procrastinate.contrib.django import app


@app.periodic(cron="17 3 * * *")
@app.task(name="api.forget_answers", queueing_lock="api.forget_answers", pass_context=False)
def forget_answers(timestamp: int) -> None:  # noqa: ARG001 - procrastinate's periodic tasks are told the time
    """Removes answers to old Idempotency-Keys."""
    close_old_connections()
    from chadan.api import idempotency

    idempotency.forget()
