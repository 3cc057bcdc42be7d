"""Keeps child processes running, and leaves none behind."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import FrameType

from chadan.platform import launch

log = logging.getLogger(__name__)
FIRST_PAUSE = 0.5  # seconds before a crashed program runs again; doubled up to LONGEST_PAUSE
LONGEST_PAUSE = 30.0
STEADY = 60.0  # seconds after which a program counts as running well
READY_EVERY = 0.25
GRACE = 10.0  # seconds between SIGTERM and SIGKILL


@dataclass(frozen=True, slots=True)
class Program:
    """A program to keep running: `env` is laid over this process's environment.

    `death_signal` is what it gets when the supervisor itself is killed: SIGKILL for one that would go on for a while on
    SIGTERM, though the database it needs is gone with the supervisor.
    """

    name: str
    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    death_signal: signal.Signals = signal.SIGTERM


def tied(*command: str, death_signal: signal.Signals = signal.SIGTERM) -> list[str]:
    """A command line that runs `command`, an absolute path and its arguments, and signals it when the calling thread ends."""
    wrapper = (sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), str(int(death_signal)), "same", "--")
    return [*wrapper, *command]


def start(program: Program) -> subprocess.Popen[bytes]:
    """Starts a program in its own process group; it gets its `death_signal` when the calling thread ends."""
    return subprocess.Popen(
        tied(*program.command, death_signal=program.death_signal),
        stdin=subprocess.DEVNULL,
        env={**os.environ, **program.env},
        start_new_session=True,
    )


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Sends a signal to a program's whole process group, which may outlive its leader; False when none is left."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class _Child:
    """One program and its present process."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.pause = FIRST_PAUSE
        self.due = 0.0

    def start(self) -> None:
        self.process = start(self.program)
        self.started = time.monotonic()
        log.info("process started", extra={"program": self.program.name, "pid": self.process.pid})

    def look(self) -> None:
        """Notices an end, clears its group away and plans the restart; restarts when that is due."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        signal_group(self.process, signal.SIGKILL)
        if now - self.started > STEADY:
            self.pause = FIRST_PAUSE
        log.warning(
            "process ended; it is started again",
            extra={"program": self.program.name, "pid": self.process.pid, "code": code, "pause": self.pause},
        )
        self.process = None
        self.due = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)

    def wait(self) -> float:
        """Seconds until this child wants to be looked at; a running one raises SIGCHLD."""
        return LONGEST_PAUSE if self.process else max(self.due - time.monotonic(), 0)


class Supervisor:
    """Runs programs until SIGINT or SIGTERM, restarting those that end, and stops them all.

    Use from the main thread. A second signal while stopping kills at once.
    """

    def __init__(self, programs: Iterable[Program]) -> None:
        self.children = [_Child(program) for program in programs]
        self.signals: list[int] = []

    def run(self, ready: Callable[[], bool] | None = None, on_ready: Callable[[], None] | None = None) -> int:
        """Returns 0 after SIGTERM, 130 after SIGINT. `ready` is asked until it says so, then `on_ready` is called."""
        with self._woken() as wake:
            try:
                for child in self.children:
                    child.start()
                waiting = ready is not None
                while not self.signals:
                    for child in self.children:
                        child.look()
                    if waiting and ready and ready():
                        waiting = False
                        if on_ready:
                            on_ready()
                    pause = min((child.wait() for child in self.children), default=LONGEST_PAUSE)
                    self._sleep(wake, min(pause, READY_EVERY) if waiting else pause)
            finally:
                self.stop(wake)
        return 130 if signal.SIGINT in self.signals else 0

    def stop(self, wake: socket.socket) -> None:
        """SIGTERM to every group, SIGKILL to what is left after GRACE seconds or another signal."""
        running = [child.process for child in self.children if child.process]
        for process in running:
            signal_group(process, signal.SIGTERM)
        heard, deadline = len(self.signals), time.monotonic() + GRACE
        while any(process.poll() is None for process in running):
            left = deadline - time.monotonic()
            if left <= 0 or len(self.signals) > heard:
                break
            self._sleep(wake, left)
        for process in running:
            signal_group(process, signal.SIGKILL)
            process.wait()
            log.info("process stopped", extra={"pid": process.pid, "code": process.returncode})

    @contextlib.contextmanager
    def _woken(self) -> Iterator[socket.socket]:
        """A socket that becomes readable at every signal; SIGINT and SIGTERM are noted, SIGCHLD only wakes."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)

        def note(number: int, _frame: FrameType | None) -> None:
            if number != signal.SIGCHLD:
                self.signals.append(number)

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
        before = {number: signal.signal(number, note) for number in numbers}
        old_wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(old_wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            reader.close()
            writer.close()

    @staticmethod
    def _sleep(wake: socket.socket, seconds: float) -> None:
        """Sleeps until a signal comes or the seconds are over."""
        wake.setblocking(True)
        wake.settimeout(max(seconds, 0.001))
        with contextlib.suppress(TimeoutError, BlockingIOError):
            wake.recv(4096)
