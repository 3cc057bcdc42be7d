"""The web process: granian with one worker per core, run as `python -m chadan.platform.web_server`."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from typing import Any

from chadan.platform.config import get_config
from chadan.platform.launch import PR_SET_PDEATHSIG

THREADS = 4
"""Requests of one process that may wait at once, for a gateway or a lock: with one, a gateway that hangs stops the whole site,
and a callback can wait for the very request that waits for it. Idle threads cost nothing.
"""


def die_with_parent() -> None:
    """Makes a granian worker die with granian's main process: otherwise it stays bound to the port."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    parent = multiprocessing.parent_process()
    if parent and os.getppid() != parent.pid:  # it died before the signal was set
        os._exit(1)


def application() -> Any:
    """Makes the WSGI application in a granian worker."""
    die_with_parent()
    from chadan.platform.wsgi import application as wsgi

    return wsgi


def main() -> None:
    """Serves until SIGTERM."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    config = get_config()
    (config.data / "static").mkdir(
        exist_ok=True
    )  # whitenoise warns when it is missing; files are served from the package
    Server(
        "chadan.platform.web_server:application",
        factory=True,
        address=config.listen_host,
        port=config.listen_port,
        interface=Interfaces.WSGI,
        workers=config.web_workers,
        blocking_threads=THREADS,
        backlog=1024,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
