"""Putting jobs into the queue by their name: services name them, the rooms' `tasks` modules hold them and call the services."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import JobDeferrer


def job(name: str, **options: Any) -> JobDeferrer:
    """The task called `name` with procrastinate's options (`schedule_at`, `lock`, …), ready to `defer` in the transaction under way.

    Raises TaskNotFound for a name no room has.
    """
    return app.configure_task(name, allow_unknown=False, **options)


def defer_once(name: str, queueing_lock: str, ids: dict[str, int], **options: Any) -> bool:
    """Defers unless a job of this queueing lock waits already; whether it did. Such a job does not abort the transaction."""
    try:
        with transaction.atomic():
            job(name, queueing_lock=queueing_lock, **options).defer(**ids)
    except AlreadyEnqueued:
        return False
    return True
