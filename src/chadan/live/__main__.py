"""The live process: granian with one ASGI worker, run as `python -m chadan.live`."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from chadan.ops.serve import refuse_taken
from chadan.platform.config import get_config
from chadan.platform.errors import ConfigError
from chadan.platform.logs import logging_config
from chadan.platform.web_server import die_with_parent

log = logging.getLogger(__name__)


def application() -> Any:
    """Makes the ASGI application in granian's worker."""
    die_with_parent()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")
    import django

    django.setup()
    from chadan.live.server import Application

    return Application(get_config())


def main() -> None:
    """Serves until SIGTERM."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    config = get_config()
    logging_config(config.log_level)
    try:
        refuse_taken(config.live_host, config.live_port, "CHADAN_LIVE_LISTEN")
    except ConfigError as error:
        log.error("live cannot start; pages ask every ten seconds instead", extra={"reason": str(error)})  # noqa: TRY400
        sys.exit(1)
    Server(
        "chadan.live.__main__:application",
        factory=True,
        address=config.live_host,
        port=config.live_port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        workers=1,
        backlog=2048,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=3,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
