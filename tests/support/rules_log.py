"""The event log's process with short batches of the rules' consumer, to be killed: `python -m tests.support.rules_log`."""

from __future__ import annotations

import os
from dataclasses import replace

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")


def main() -> None:
    """Works until killed."""
    import django

    django.setup()
    from chadan.eventlog.__main__ import main as work
    from chadan.eventlog.consumers import REGISTRY
    from chadan.tagging.consumers import NAME

    REGISTRY[NAME] = replace(REGISTRY[NAME], batch=3)
    work()


if __name__ == "__main__":
    main()
