"""The site's real processes on loopback, for benches that measure them, and a plain client."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chadan.bench.figures import children
from chadan.bench.sites import Site
from chadan.platform.errors import ChadanError
from chadan.platform.processes import signal_group, tied

START_WITHIN = 60.0
STOP_WITHIN = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """A running process: `pid` is the one that does the work."""

    pid: int
    port: int = 0


@contextmanager
def web(site: Site) -> Iterator[Running]:
    """Granian with one worker, as `serve` runs it; `pid` is the worker's."""
    port = _free_port()
    with _started(site, "chadan.platform.web_server", port) as process:
        deadline = time.monotonic() + START_WITHIN
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ChadanError("The web process does not answer.")
            time.sleep(0.1)
        yield Running(_worker_of(process.pid), port)


@contextmanager
def worker(site: Site) -> Iterator[Running]:
    """The process that runs jobs."""
    with _started(site, "chadan.platform.worker", _free_port()) as process:
        yield Running(process.pid)


@contextmanager
def eventlog(site: Site) -> Iterator[Running]:
    """Sequencer and consumers."""
    with _started(site, "chadan.eventlog", _free_port()) as process:
        yield Running(process.pid)


@contextmanager
def live(site: Site) -> Iterator[Running]:
    """The live process; `pid` is the worker's, `port` where it listens. Pages' origin is the port before it."""
    port = _free_port()
    with _started(site, "chadan.live", port - 1, {"CHADAN_LIVE_LISTEN": f"127.0.0.1:{port}"}) as process:
        deadline = time.monotonic() + START_WITHIN
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ChadanError("The live process does not answer.")
            time.sleep(0.1)
        yield Running(_worker_of(process.pid), port)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextmanager
def _started(
    site: Site, module: str, port: int, more: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of the site, its log in the site's data folder; its whole group ends with the block, or with this process."""
    with (site.config.data / f"{module}.log").open("wb") as log:
        process = subprocess.Popen(
            tied(sys.executable, "-m", module, death_signal=signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**site.environment, "CHADAN_LISTEN": f"127.0.0.1:{port}", **(more or {})},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN)
        signal_group(process, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        return get(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "/readyz", {})[0] == 200
    except OSError:
        return False


def _worker_of(pid: int) -> int:
    """The worker among the children of granian's main process (multiprocessing keeps a tracker beside it)."""
    for child in children(pid):
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
    raise ChadanError("The web process has no worker.")


def connect(port: int) -> http.client.HTTPConnection:
    """A connection that stays open over many requests."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=120)


def get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of a GET."""
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()
