"""The keeper: one background process per data directory that runs the embedded server for whoever needs it.

Every Chadan process that uses the server holds a connection to the keeper's socket. The keeper starts PostgreSQL with the
first, restarts it when its postmaster is killed, and stops it when the last connection is gone, be it closed or its process
killed. PostgreSQL has a parent-death signal, so it shuts down too when the keeper itself is killed. Run as
`python -m chadan.platform.postgres.keeper CONTROL_FOLDER OWNER_PASSWORD_FILE`.

It speaks lines of JSON to its clients: `{"progress": text}`, `{"ready": true}`, `{"error": text, "hint": text}`. A
client that has closed its side hears `{"stays": true}` if others still use the server; else the connection ends when the
server has stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import IO, Any

from chadan.platform.errors import ChadanError, DatabaseUnavailable
from chadan.platform.postgres import cluster
from chadan.platform.postgres.identity import Identity, resolve
from chadan.platform.postgres.layout import SOCKET, Layout
from chadan.platform.postgres.leftovers import KILL_AFTER, Leftovers, processes_in

TICK = 0.05  # seconds between looks at a server that is starting
TELL_EVERY = 2.0  # seconds between words of progress
LOG_BYTES = 20 << 20
BUSY = 75  # exit code: another keeper serves this folder
UNUSED = 30.0  # seconds a keeper waits for its first client


class Keeper:
    """Serves one cluster until nobody is connected any more."""

    def __init__(self, identity: Identity, layout: Layout, password_file: Path) -> None:
        self.identity = identity
        self.layout = layout
        self.password_file = password_file
        self.clients: set[asyncio.StreamWriter] = set()
        self.ready = False
        self.unused = asyncio.Event()
        self.server: asyncio.subprocess.Process | None = None
        self.failure: dict[str, str] | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, listener: socket.socket) -> int:
        """Runs the server while it is used. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.unused.set)
        door = await asyncio.start_unix_server(self.welcome, sock=listener)
        loop.call_later(UNUSED, self.leave_if_unused)
        unused = asyncio.create_task(self.unused.wait())
        running = asyncio.create_task(self.run())
        self.spawn(self.trim_log())
        await asyncio.wait({unused, running}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            self.note_failure(running)
        running.cancel()
        await self.stop()
        door.close()
        (self.layout.run / "keeper.sock").unlink(missing_ok=True)
        await self.part()
        return 1 if self.failure else 0

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something beside, kept from being collected."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def leave_if_unused(self) -> None:
        """Ends the keeper when nobody is connected."""
        if not self.clients:
            self.unused.set()

    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its coming to its going."""
        self.clients.add(writer)
        if self.failure:
            self.tell(writer, self.failure)
        if self.ready:
            self.tell(writer, {"ready": True})
        with contextlib.suppress(ConnectionError):
            await reader.read()  # a client says nothing: the end of its stream is the news
        if self.clients == {writer}:
            self.ready = False
            self.unused.set()  # its connection stays open until the server has stopped: it may wait for that
        else:
            self.clients.discard(writer)
            self.tell(writer, {"stays": True})
            writer.close()

    async def part(self) -> None:
        """Closes every connection: the clients take that for the end of the server."""
        for client in list(self.clients):
            client.close()
            with contextlib.suppress(OSError):
                await client.wait_closed()
        await asyncio.sleep(TICK)  # their tasks see the end too

    def tell(self, writer: asyncio.StreamWriter, word: dict[str, Any]) -> None:
        """One word to one client, who may be gone."""
        if not writer.is_closing():
            writer.write(json.dumps(word).encode() + b"\n")

    def tell_all(self, word: dict[str, Any]) -> None:
        """One word to every client."""
        for client in self.clients:
            self.tell(client, word)

    def note_failure(self, running: asyncio.Task[None]) -> None:
        """Tells the clients why the server does not run."""
        error = running.exception()
        if error is None:
            return
        message = error.message if isinstance(error, ChadanError) else f"{type(error).__name__}: {error}"
        self.failure = {"error": message, "hint": error.hint if isinstance(error, ChadanError) else ""}
        self.tell_all(self.failure)

    async def run(self) -> None:
        """Starts the server, and again whenever its postmaster was killed. Raises DatabaseUnavailable."""
        while True:
            self.server = await self.start()
            await asyncio.to_thread(
                cluster.bootstrap, self.layout, self.password_file.read_text(encoding="ascii").strip()
            )
            self.ready = True
            self.tell_all({"ready": True})
            code = await self.server.wait()
            self.ready = False
            print(f"the postmaster ended with {code}; it is started again", file=sys.stderr, flush=True)

    async def start(self) -> asyncio.subprocess.Process:
        """A postmaster that accepts connections. Raises DatabaseUnavailable when it ends instead."""
        began = time.monotonic()
        leftovers = Leftovers(self.layout.data, self.layout.run / SOCKET)
        while not leftovers.gone():
            self.progress("Waiting for the previous PostgreSQL to end", began)
            await asyncio.sleep(TICK)
        if not (self.layout.data / "PG_VERSION").exists():
            self.tell_all({"progress": "Creating the database"})
            await asyncio.to_thread(cluster.initialize, self.identity, self.layout)
        cluster.configure(self.identity, self.layout)
        while True:
            started = await self.attempt(began)
            if isinstance(started, asyncio.subprocess.Process):
                return started
            if "still in use" not in started or time.monotonic() - began > KILL_AFTER:
                raise DatabaseUnavailable(
                    f"The embedded PostgreSQL did not start: {started}",
                    hint=f"The whole log is in {self.layout.log}.",
                )
            await asyncio.sleep(10 * TICK)  # the memory of a killed server goes a moment after its processes

    async def attempt(self, began: float) -> asyncio.subprocess.Process | str:
        """A postmaster that accepts connections, or the reason it gave for ending."""
        with self.layout.log.open("ab") as log:
            start_of_log = log.tell()
            # A parent-death SIGINT is PostgreSQL's fast shutdown: connections end, a checkpoint is written.
            server = await asyncio.create_subprocess_exec(
                *self.identity.command("postgres", "-D", str(self.layout.data), death_signal=signal.SIGINT),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.identity.environment(),
                cwd="/",
                start_new_session=True,
            )
        self.server = server
        while not self.accepts(server.pid):
            if server.returncode is not None:
                return self.last_complaint(start_of_log)
            self.progress("Waiting for PostgreSQL", began, start_of_log)
            await asyncio.sleep(TICK)
        return server

    def accepts(self, pid: int) -> bool:
        """Whether this very postmaster says in its lock file that it is ready."""
        try:
            lines = (self.layout.data / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def progress(self, text: str, began: float, start_of_log: int | None = None) -> None:
        """Tells the clients every TELL_EVERY seconds how long the start takes and what the recovery is at."""
        seconds = time.monotonic() - began
        if seconds % TELL_EVERY < TICK and seconds >= TELL_EVERY:
            at = self.recovery(start_of_log) if start_of_log is not None else ""
            self.tell_all({"progress": f"{text}: {seconds:.0f} s{at}"})

    def recovery(self, start_of_log: int) -> str:
        """What the server last logged about its recovery."""
        for line in reversed(self.new_log(start_of_log)):
            if "LOG:" in line and any(word in line for word in ("redo", "recovery", "syncing data", "resetting")):
                return f" ({line.split('LOG:', 1)[1].strip()})"
        return ""

    def last_complaint(self, start_of_log: int) -> str:
        """The reason the server gave for not starting."""
        lines = self.new_log(start_of_log)
        complaints = [line for line in lines if "FATAL:" in line or "PANIC:" in line] or lines
        return complaints[-1].split("FATAL:")[-1].split("PANIC:")[-1].strip() if complaints else "it gave no reason."

    def new_log(self, start_of_log: int) -> list[str]:
        """The lines logged since the start, the last 64 KiB of them."""
        with self.layout.log.open("rb") as log:
            log.seek(max(start_of_log, self.layout.log.stat().st_size - 65536))
            return log.read().decode(errors="replace").splitlines()

    async def stop(self) -> None:
        """Fast shutdown: connections end, a checkpoint is written, nothing stays."""
        self.ready = False
        server = self.server
        if server is None:
            return
        if server.returncode is None:
            server.send_signal(signal.SIGINT)
        began = time.monotonic()
        while server.returncode is None:
            self.progress("Stopping PostgreSQL", began)
            await asyncio.sleep(TICK)
        while processes_in(self.layout.data):  # noqa: ASYNC110 - strangers' ends raise no event
            await asyncio.sleep(TICK)

    async def trim_log(self) -> None:
        """Keeps the log below LOG_BYTES by starting it anew, the old one beside it."""
        while True:
            if self.layout.log.stat().st_size > LOG_BYTES:
                old = self.layout.log.with_suffix(".log.1")
                old.write_bytes(self.layout.log.read_bytes())
                old.chmod(0o600)
                os.truncate(self.layout.log, 0)
            await asyncio.sleep(600)


def lock(control: Path) -> IO[bytes] | None:
    """The lock of a data directory, held while the file is open; None when another keeper holds it."""
    file = (control / "keeper.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def listen(path: Path) -> socket.socket:
    """The keeper's door, in place of one a killed keeper left."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(64)
    return listener


def main(arguments: list[str]) -> int:
    """Serves until unused. Exit code BUSY when another keeper does already."""
    control, password_file = Path(arguments[0]), Path(arguments[1])
    held = lock(control)
    if held is None:
        return BUSY
    with held:
        identity, layout = resolve(control)
        with listen(layout.run / "keeper.sock") as listener:
            keeper = Keeper(identity, layout, password_file)
            code = asyncio.run(keeper.serve(listener))
    if keeper.failure:  # a client that came too late to be told reads the last line of this process's log
        print(" ".join(keeper.failure.values()).strip(), file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
