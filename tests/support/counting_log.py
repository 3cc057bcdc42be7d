"""The event log's process with one consumer more, which notes every position it gets: `python -m tests.support.counting_log`."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")

NAME = "test.killed"


def main() -> None:
    """Works until killed."""
    import django

    django.setup()
    from chadan.eventlog.__main__ import main as work
    from chadan.eventlog.consumers import consumer

    @consumer(NAME, batch=3)
    def note(session: Any, events: Any) -> None:
        for event in events:
            session.run("insert into killed_noted values (%s)", (event.position,))

    work()


if __name__ == "__main__":
    main()
