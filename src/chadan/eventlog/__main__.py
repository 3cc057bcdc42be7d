"""The event log's process: sequencer and consumers, as `python -m chadan.eventlog`."""

from __future__ import annotations

import os
import signal
import threading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")


def main() -> None:
    """Works until SIGTERM. A second process of this kind waits, and takes over when the first one's connection ends."""
    import django

    django.setup()
    from chadan.eventlog import consumers, sequencer

    stop, leading = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: stop.set())
    reader = threading.Thread(target=consumers.run, args=(stop, leading), name="consumers")
    reader.start()
    try:
        sequencer.run(stop, leading)
    finally:
        stop.set()
        reader.join(10)


if __name__ == "__main__":
    main()
