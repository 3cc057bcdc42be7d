"""Jobs of the batches room. Their arguments are ids only; each may run twice."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import close_old_connections
from django.utils.translation import gettext as _
from django.utils.translation import override
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from chadan.batches import runner, services
from chadan.batches.models import Batch

log = logging.getLogger(__name__)
ATTEMPTS = 8


# Behind deliveries and callbacks: thousands of orders can wait a moment, one buyer should not.
@app.task(
    name="batches.work",
    pass_context=True,
    priority=-5,
    retry=RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=2),
)
def work(context: JobContext, batch_id: str) -> None:
    """Works a batch off for a while, then queues for the rest behind what came meanwhile."""
    close_old_connections()
    try:
        more = runner.run(UUID(batch_id))
    except Exception:
        if context.job.attempts + 1 >= ATTEMPTS:
            _give_up(batch_id)
        raise
    if more:
        work.configure(lock=f"batch:{batch_id}").defer(batch_id=batch_id)


def _give_up(batch_id: str) -> None:
    batch = Batch.objects.filter(pk=UUID(batch_id)).first()
    if batch is not None and batch.working:
        with override(batch.language):
            sentence = _(
                "The batch stopped because of an internal error. Let it go on; if it stops again, tell the operator."
            )
        runner.fail(batch, sentence)


@app.periodic(cron="37 * * * *")
@app.task(name="batches.forget_drafts", queueing_lock="batches.forget_drafts", pass_context=False)
def forget_drafts(timestamp: int) -> None:
    """Removes previews nobody confirmed in time."""
    close_old_connections()
    gone = services.forget_drafts()
    if gone:
        log.info("batch previews dropped", extra={"batches": gone, "at": timestamp})
