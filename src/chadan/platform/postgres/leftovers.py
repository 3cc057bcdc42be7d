"""Finds and outlives the processes of a server whose postmaster was killed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

ASK_AFTER = 20.0  # seconds: a fast shutdown may still write its checkpoint
KILL_AFTER = 60.0


def processes_in(data: Path) -> list[int]:
    """The pids of the PostgreSQL processes working in `data`: every one has it as its current folder."""
    try:
        wanted = data.stat()
    except FileNotFoundError:
        return []
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            folder = os.stat(f"/proc/{entry.name}/cwd")  # noqa: PTH116 - follows the kernel's link
        except OSError:
            continue
        if (folder.st_dev, folder.st_ino) == (wanted.st_dev, wanted.st_ino) and _is_server(entry.name):
            found.append(int(entry.name))
    return found


def _is_server(pid: str) -> bool:
    """Whether a process that works in the data directory is PostgreSQL's, not somebody's shell."""
    try:
        return Path(f"/proc/{pid}/exe").readlink().name.startswith("postgres")
    except FileNotFoundError:
        return True  # it is ending: its memory is being given back, and may still be attached
    except OSError:
        return False


def postmaster_pid(data: Path) -> int | None:
    """The pid in postmaster.pid, whether or not that process still lives."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


class Leftovers:
    """What an earlier postmaster left: `gone()` is asked again and again until it is True.

    The orphans leave by themselves; after ASK_AFTER seconds they are asked to, after KILL_AFTER they are killed.
    """

    def __init__(self, data: Path, socket: Path) -> None:
        self.data = data
        self.socket = socket
        self.since = time.monotonic()
        self.asked = False

    def gone(self) -> bool:
        """Whether no process is left; then a stale postmaster.pid is gone too, though its pid may have been reused."""
        pids = processes_in(self.data)
        if not pids:
            self._remove_stale_lock()
            return True
        waited = time.monotonic() - self.since
        if waited > KILL_AFTER:
            self._signal(pids, signal.SIGKILL)
        elif waited > ASK_AFTER and not self.asked:
            self.asked = True
            self._signal(pids, signal.SIGQUIT)
        return False

    def _remove_stale_lock(self) -> None:
        pid = postmaster_pid(self.data)
        if pid is None:
            self._remove_socket()
            return
        try:
            Path(f"/proc/{pid}/cwd").readlink()
        except FileNotFoundError:
            pass  # no such process, or one that has ended and that nobody has waited for
        except OSError:
            return  # somebody's process that cannot be looked into: let PostgreSQL decide
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._remove_socket()

    def _remove_socket(self) -> None:
        self.socket.unlink(missing_ok=True)
        self.socket.with_name(f"{self.socket.name}.lock").unlink(missing_ok=True)

    @staticmethod
    def _signal(pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            try:
                os.kill(pid, number)
            except OSError:
                continue
