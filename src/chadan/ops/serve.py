"""Runs the site's processes: web, worker, event log and live, under one supervisor."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from chadan.platform.config import Config
from chadan.platform.errors import ConfigError
from chadan.platform.processes import Program, Supervisor

ANSWER_WITHIN = 5.0  # seconds
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not bound


def local_url(config: Config) -> str:
    """The site's address as this machine reaches it, such as `http://127.0.0.1:8000`."""
    host = EVERYWHERE.get(config.listen_host, config.listen_host)
    return f"http://{f'[{host}]' if ':' in host else host}:{config.listen_port}"


@contextmanager
def only_site(config: Config) -> Iterator[None]:
    """Holds CHADAN_DATA for one running site. Raises ConfigError that names the site which holds it already.

    Other commands (find, export, migrate) do not take the lock: they work beside a running site.
    """
    path = config.data / "site.lock"
    try:
        config.data.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"Cannot write {path}: {error.strerror}.",
            hint="Give the user that runs Chadan write permission on CHADAN_DATA, or point CHADAN_DATA elsewhere.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            running = " ".join(file.read().split()) or "starting"
            raise ConfigError(
                f"Chadan already runs on {config.data}: {running}.",
                hint="Use that one, stop it first, or choose another folder with CHADAN_DATA.",
            ) from error
        file.truncate(0)
        file.write(f"{local_url(config)} (process {os.getpid()})\n")
        file.flush()
        yield
        file.truncate(0)


def refuse_taken_port(config: Config) -> None:
    """Raises ConfigError when the listen address cannot be bound."""
    refuse_taken(config.listen_host, config.listen_port, "CHADAN_LISTEN")


def refuse_taken(host: str, port: int, setting: str) -> None:
    """Raises ConfigError, naming the setting to change, when an address cannot be bound."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            hint=f"Stop what uses the port, or choose another one with {setting}.",
        ) from error


def programs() -> list[Program]:
    """The site's processes. They take their settings from the environment."""
    return [
        Program("web", (sys.executable, "-m", "chadan.platform.web_server")),
        # What it was doing is safe in the database; waiting for that to come back would keep it alive alone.
        Program("worker", (sys.executable, "-m", "chadan.platform.worker"), death_signal=signal.SIGKILL),
        Program("eventlog", (sys.executable, "-m", "chadan.eventlog")),
        Program("live", (sys.executable, "-m", "chadan.live")),
    ]


def answers(url: str) -> bool:
    """Whether the site says it is ready."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy has no part in a loopback question
    try:
        with opener.open(f"{url}/readyz", timeout=ANSWER_WITHIN) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def run_site(config: Config, on_ready: Callable[[str], None], beside: Sequence[Program] = ()) -> int:
    """Runs the site's processes until SIGINT or SIGTERM; calls `on_ready(url)` once /readyz answers. Returns the exit code.

    `beside` are programs of the caller's, kept running under the same supervisor.
    The database must run and be migrated. Call from the main thread: children die with the thread that started them.
    """
    url = local_url(config)
    return Supervisor([*beside, *programs()]).run(
        ready=lambda: answers(url), on_ready=lambda: on_ready(config.origin or url)
    )
