"""The database server: Chadan's own PostgreSQL, or any other of version 15 or newer.

    with database_running(get_config(), progress=show_progress) as owner:
        psycopg.connect(host=owner.host, port=owner.port, dbname=owner.name, user=owner.user, password=owner.password)

The embedded server starts if it is not running and stops with the last process that uses it. In an integration test take
the session fixture `postgres` (tests/integration/conftest.py): the Address of the owner login of a fresh cluster. The owner
may create further databases and roles; it is not a superuser.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chadan.platform.config import Address, Config
from chadan.platform.postgres.external import check_external
from chadan.platform.postgres.identity import layout_of
from chadan.platform.postgres.layout import OWNER, control_folder, owner_password

__all__ = ["database_running", "owner_address", "show_progress"]


def owner_address(config: Config) -> Address:
    """The owner's login, computed from files: nothing is started or checked. Raises ConfigError when they are unreadable."""
    if config.external:
        return config.external
    return layout_of(control_folder(config)).address(OWNER, owner_password(config))


@contextmanager
def database_running(config: Config, progress: Callable[[str], None] | None = None) -> Iterator[Address]:
    """The owner's login on a server that accepts connections, for the length of the block.

    An external server is checked only. The embedded one is started if it is not running, and is stopped at the end unless
    another process uses it then. `progress` gets sentences about a start that takes long. Raises ConfigError (no write
    permission) or DatabaseUnavailable (cannot start, unreachable, too old, another major version's data).
    """
    if config.external:
        check_external(config.external)
        yield config.external
        return
    from chadan.platform.postgres.client import Hold

    hold = Hold(config, progress)
    try:
        hold.acquire()
        yield owner_address(config)
    finally:
        hold.release()


def show_progress(text: str) -> None:
    """Writes a sentence of progress to stderr with the time of day, for command lines."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
