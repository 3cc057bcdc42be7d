"""Jobs of the tagging room."""

from __future__ import annotations

import logging

from django.db import close_old_connections
from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from chadan.platform.errors import ChadanError
from chadan.tagging import clock, jobs
from chadan.tagging.models import JobState, TagJob

log = logging.getLogger(__name__)
ATTEMPTS = 6


@app.task(name="tagging.run", pass_context=True, retry=RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=3))
def run(context: JobContext, job_id: int) -> None:
    """Carries out a merge, a delete, or a rule over the past; one at a time in a shop."""
    close_old_connections()
    try:
        jobs.run(job_id)
    except Exception as error:
        final = isinstance(error, ChadanError) or context.job.attempts + 1 >= ATTEMPTS
        if final:
            said = str(error)[:300] if isinstance(error, ChadanError) else type(error).__name__
            TagJob.objects.filter(pk=job_id, state=JobState.RUNNING).update(
                state=JobState.FAILED, error=said, finished_at=timezone.now()
            )
        if not isinstance(error, ChadanError):
            raise
        log.info("tagging stopped", extra={"tag_job": job_id, "reason": error.code})


@app.periodic(cron="* * * * *")
@app.task(name="tagging.look_at_the_clock", queueing_lock="tagging.look_at_the_clock", pass_context=False)
def look_at_the_clock(timestamp: int) -> None:
    """Hands orders that became overdue to the rules."""
    close_old_connections()
    tagged = clock.look()
    if tagged:
        log.info("overdue orders tagged", extra={"tagged": tagged, "at": timestamp})
