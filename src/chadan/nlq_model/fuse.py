"""Holds a model back that does not answer: nobody waits for it again until it has had time to recover."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any

FAILURES = 3
REST = 60.0
"""Seconds without a question after FAILURES in a row; then one is let through."""
AT_ONCE = 2
"""Questions a process has out: a slow model must not hold every thread that answers pages."""
KEPT, FRESH = 512, 600.0


class Fuse:
    """A circuit breaker and a small memory of answers, for one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots = BoundedSemaphore(AT_ONCE)
        self._failures = 0
        self._closed_until = 0.0
        self._answers: OrderedDict[str, tuple[float, list[Any]]] = OrderedDict()

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Whether the model may be asked now; the block says how it went with `worked` or `failed`."""
        free = self._slots.acquire(blocking=False)
        try:
            yield free and self._may()
        finally:
            if free:
                self._slots.release()

    def _may(self) -> bool:
        with self._lock:
            if time.monotonic() < self._closed_until:
                return False
            if self._failures >= FAILURES:
                self._closed_until = time.monotonic() + REST  # one goes through; the others wait for what comes of it
            return True

    def worked(self) -> None:
        """The model answered."""
        with self._lock:
            self._failures, self._closed_until = 0, 0.0

    def failed(self) -> None:
        """It did not."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._closed_until = time.monotonic() + REST

    def remembered(self, asked: str) -> list[Any] | None:
        """The answer to the same request, while it is fresh: pages of one list must not depend on a model's mood."""
        with self._lock:
            kept = self._answers.get(asked)
            return kept[1] if kept and time.monotonic() - kept[0] < FRESH else None

    def remember(self, asked: str, answer: list[Any]) -> None:
        """Keeps an answer. Requests hold placeholders, so the memory holds nobody's name either."""
        with self._lock:
            self._answers[asked] = time.monotonic(), answer
            self._answers.move_to_end(asked)
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
