"""A progress bar on a terminal; silence elsewhere."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Self

WIDTH = 30
EVERY = 0.1


class Bar:
    """Shows how far long work is, on stderr. Without a total it counts."""

    def __init__(self, what: str, total: int = 0) -> None:
        self.what, self.total = what, total
        self.done = 0
        self.started = self.last = monotonic()
        self.visible = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.visible:
            self._draw()
            print(file=sys.stderr)

    def add(self, count: int) -> None:
        """`count` more are done."""
        self.show(self.done + count)

    def show(self, done: int) -> None:
        """`done` are done in all."""
        self.done = done
        now = monotonic()
        if self.visible and now - self.last >= EVERY:
            self.last = now
            self._draw()

    def _draw(self) -> None:
        rate = self.done / max(monotonic() - self.started, 0.001)
        text = f"{self.done:,}"
        if self.total:
            part = min(self.done / self.total, 1.0)
            filled = int(part * WIDTH)
            text = f"[{'█' * filled}{'·' * (WIDTH - filled)}] {part:4.0%}  {text} of {self.total:,}"
        print(f"\r{text} {self.what}, {rate:,.0f}/s\x1b[K", end="", file=sys.stderr, flush=True)
