"""Jobs of the exports room. Their arguments are ids only."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import close_old_connections
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from chadan.exports import runner, services
from chadan.exports.models import ExportJob, State
from chadan.platform.errors import ChadanError, Conflict

log = logging.getLogger(__name__)
ATTEMPTS = 5


@app.task(name="exports.run_export", pass_context=True, retry=RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=3))
def run_export(context: JobContext, export_id: str) -> None:
    """Writes an export, going on where a crashed attempt stopped. A job that is not waiting any more is left alone."""
    close_old_connections()
    job = ExportJob.objects.select_related("user").filter(pk=UUID(export_id)).first()
    if job is None or not job.running:
        return
    try:
        runner.run(job)
    except Conflict:
        raise  # another process still writes it: look again later
    except ChadanError as error:
        log.info("export stopped", extra={"export": export_id, "reason": error.code})
    except Exception:
        if context.job.attempts + 1 >= ATTEMPTS:
            _give_up(job)
        raise


def _give_up(job: ExportJob) -> None:
    with override(job.language):
        sentence = _(
            "The export stopped because of an internal error. Start it again; if it stops again, tell the operator."
        )
    ExportJob.objects.filter(pk=job.pk, state__in=(State.QUEUED, State.RUNNING)).update(
        state=State.FAILED, error=sentence, finished_at=timezone.now(), checkpoint={}
    )


@app.periodic(cron="*/10 * * * *")
@app.task(name="exports.expire", queueing_lock="exports.expire", pass_context=False)
def expire(timestamp: int) -> None:
    """Removes files whose time is over."""
    gone = services.expire_exports()
    if gone:
        log.info("exports expired", extra={"expired": gone, "at": timestamp})
