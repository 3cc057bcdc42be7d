"""Writes one export: from its last checkpoint to the finished, hashed, synced file."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from chadan.accounts.actors import Actor, actor_of
from chadan.exports import audit, files, parquet
from chadan.exports.columns import Column
from chadan.exports.errors import ExportCancelled, ExportFailed
from chadan.exports.labels import headers_in, title_in, words_in
from chadan.exports.limits import row_limit, too_large
from chadan.exports.models import ExportJob, Format, State
from chadan.exports.sinks import MOMENTS, CsvSink, Sink, SpoolSink, XlsxSink
from chadan.exports.source import Reader, Request, count
from chadan.exports.values import finisher
from chadan.platform.config import get_config
from chadan.platform.errors import ChadanError, Conflict
from chadan.search.order_query import OrderQuery

log = logging.getLogger(__name__)
CHUNK_ROWS = 10_000
CHECKPOINT_SECONDS = 1.0

Progress = Callable[[int, int], None]
"""Called with (rows done, rows in all)."""


@dataclass(slots=True)
class Pace:
    """How much is read at once, and how often the work is made safe; tests go slower."""

    chunk_rows: int = CHUNK_ROWS
    checkpoint_seconds: float = CHECKPOINT_SECONDS


def run(job: ExportJob, progress: Progress | None = None, pace: Pace | None = None) -> ExportJob:
    """Writes the file of a queued or interrupted job and returns the job, done.

    Raises ExportCancelled when it was cancelled meanwhile, another ChadanError when it failed for a reason the user can
    read; job and files say the same. Any other exception leaves the job running: run it again to go on.
    """
    with override(job.language):
        try:
            with files.explained():
                _write(job, progress, pace or Pace())
        except ExportCancelled:
            if not ExportJob.objects.filter(pk=job.pk, attempt__gt=job.attempt).exists():
                files.remove(job.pk)
            raise
        except Conflict:
            raise
        except ChadanError as error:
            if _change(job, state=State.FAILED, error=str(error), finished_at=timezone.now(), checkpoint={}):
                files.remove(job.pk)
                audit.record(job, "export.failed", {"error": str(error)})
            raise
    return job


def _write(job: ExportJob, progress: Progress | None, pace: Pace) -> None:
    actor = acting(job)
    path = files.spool_path(job.pk) if job.format == Format.PARQUET else files.part_path(job.pk)
    final = files.final_path(job.pk, job.format)
    if not final.exists():
        with files.growing(path) as file:
            _start(job, actor)
            if progress:
                progress(job.rows_done, job.rows_total or 0)
            _fill(job, actor, file, progress, pace)
        if job.format == Format.PARQUET:
            parquet.convert(path, files.part_path(job.pk), [Column(name) for name in job.columns])
        files.publish(files.part_path(job.pk), final)
    files.spool_path(job.pk).unlink(missing_ok=True)
    finished = timezone.now()
    done: dict[str, Any] = {
        "state": State.DONE,
        "sha256": files.digest(final),
        "bytes": final.stat().st_size,
        "checkpoint": {},
        "finished_at": finished,
        "expires_at": finished + timedelta(days=get_config().export_days),
    }
    if not _change(job, **done):
        raise ExportCancelled(_("The export was cancelled."))
    audit.record(job, "export.finished", {"rows": job.rows_done, "sha256": job.sha256})


def acting(job: ExportJob) -> Actor:
    """The capacity the export was requested in, as it is today. Raises ExportFailed when it is no longer held."""
    actor = actor_of(job.user, job.actor_key) if job.user.is_active else None
    if actor is None or actor.key != job.actor_key:
        raise ExportFailed(_("You no longer act in the capacity this export was requested in."))
    return actor


def request_of(job: ExportJob, actor: Actor) -> Request:
    """Which orders the job means."""
    numbers = None if job.selection is None else tuple(int(number) for number in job.selection)
    return Request(actor.scope, OrderQuery.from_dict(job.query), job.view or None, job.upto, numbers, job.frozen)


def _start(job: ExportJob, actor: Actor) -> None:
    """Counts the rows once, and marks the job running."""
    if job.rows_total is None:
        limit = row_limit(actor)
        job.rows_total = count(request_of(job, actor), limit + 1)
        if job.rows_total > limit:
            raise too_large(limit)
    started = job.started_at or timezone.now()
    if not _change(job, state=State.RUNNING, started_at=started, rows_total=job.rows_total):
        raise ExportCancelled(_("The export was cancelled."))


def _fill(job: ExportJob, actor: Actor, file: BinaryIO, progress: Progress | None, pace: Pace) -> None:
    columns = tuple(Column(name) for name in job.columns)
    request = request_of(job, actor)
    finish = finisher(columns, words_in(job.language), masked=job.masked)
    reader = Reader(request, columns, MOMENTS[job.format], finish)
    saved = _usable(job, file)
    last: int | None = saved.get("last")
    job.rows_done = saved.get("rows", 0)
    sink = _sink(job, file, columns, saved.get("sink", {}))
    limit = request.query.limit
    safe_at = time.monotonic()
    with closing(reader.ahead(last, pace.chunk_rows, None if limit is None else limit - job.rows_done)) as chunks:
        for chunk in chunks:
            sink.put(chunk)
            job.rows_done += chunk.count
            if progress:
                progress(job.rows_done, job.rows_total or 0)
            if time.monotonic() - safe_at >= pace.checkpoint_seconds:
                files.sync(file)
                _checkpoint(job, file, {"last": chunk.last, "rows": job.rows_done, "sink": sink.state()})
                safe_at = time.monotonic()
    sink.close()
    files.sync(file)
    if not _change(job, rows_done=job.rows_done, rows_total=job.rows_done):
        raise ExportCancelled(_("The export was cancelled."))


def _usable(job: ExportJob, file: BinaryIO) -> dict[str, Any]:
    """The checkpoint, if the file is there as far as it says; else the beginning."""
    saved: dict[str, Any] = job.checkpoint
    if saved and file.seek(0, 2) >= saved["size"]:
        return saved
    return {}


def _checkpoint(job: ExportJob, file: BinaryIO, state: dict[str, Any]) -> None:
    size = file.seek(0, 2)
    if not _change(job, rows_done=job.rows_done, bytes=size, checkpoint={**state, "size": size}):
        raise ExportCancelled(_("The export was cancelled."))


def _change(job: ExportJob, **values: Any) -> bool:
    """Updates the job unless it was cancelled or started anew since; True when it was updated."""
    here = ExportJob.objects.filter(pk=job.pk, attempt=job.attempt, state__in=(State.QUEUED, State.RUNNING))
    changed = here.update(**values)
    if changed:
        for name, value in values.items():
            setattr(job, name, value)
    return bool(changed)


def _sink(job: ExportJob, file: BinaryIO, columns: tuple[Column, ...], state: dict[str, Any]) -> Sink:
    if job.format == Format.PARQUET:
        return SpoolSink(file, columns, state)
    headers = headers_in(job.language, columns)
    if job.format == Format.CSV:
        return CsvSink(file, headers, columns, state)
    return XlsxSink(file, headers, columns, title_in(job.language), state)
