"""The whole site as processes, for the fault tests: web, worker and PostgreSQL under the supervisor, and ways to hurt them."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from tests.support.waiting import alive, eventually

from chadan.platform.config import load
from chadan.platform.postgres import owner_address
from chadan.platform.postgres.identity import layout_of
from chadan.platform.postgres.layout import control_folder
from chadan.platform.processes import tied

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 180
PROGRAMS = {"web": "chadan.platform.web_server", "worker": "chadan.platform.worker", "eventlog": "chadan.eventlog"}


def free_port() -> int:
    """A loopback port nobody listens on, nor on the next one, where the live process listens."""
    for _try in range(50):
        with socket.socket() as probe, socket.socket() as beside:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                beside.bind(("127.0.0.1", port + 1))
                return port
    raise AssertionError("no two free ports side by side")


@dataclass
class Site:
    """A running `chadan serve` with its own data. Rows are read and changed as the database's owner."""

    data: Path
    port: int
    origin: str
    """Where gateways, suppliers and visitors reach it: the proxy."""
    process: subprocess.Popen[bytes] | None = None
    _connection: psycopg.Connection[tuple[Any, ...]] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The web process itself."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the site is started with."""
        ours = ("CHADAN_", "DJANGO_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {
            "CHADAN_DATA": str(self.data),
            "CHADAN_LISTEN": f"127.0.0.1:{self.port}",
            "CHADAN_ORIGIN": self.origin,
            "CHADAN_SANDBOX": "1",
            "CHADAN_WEB_WORKERS": "2",
            "CHADAN_LOG_LEVEL": "WARNING",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        }

    @property
    def log(self) -> Path:
        return self.data.parent / "site.log"

    def start(self) -> None:
        """Starts everything and waits until it is ready."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                tied(sys.executable, "-m", "chadan", "serve"),
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_ready()

    def stop(self) -> None:
        """Stops it as Ctrl-C does."""
        if self._connection:
            self._connection.close()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def ready(self) -> bool:
        """Whether the web process answers and the database behind it."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def wait_ready(self) -> None:
        """Fails with the log's end when the site ends or does not become ready."""
        ends = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < ends and self.process and self.process.poll() is None:
            if self.ready():
                return
            time.sleep(0.1)
        raise AssertionError(f"the site did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    # What happened

    def connect(self, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of the owner's."""
        owner = owner_address(load({"CHADAN_DATA": str(self.data)}))
        return psycopg.connect(
            host=owner.host,
            port=owner.port,
            dbname=owner.name,
            user=owner.user,
            password=owner.password,
            **{"autocommit": True, **options},
        )

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Reads; connects again when the server was killed."""
        for _attempt in range(100):
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = self.connect()
                cursor = self._connection.execute(cast("LiteralString", sql), params)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                self._connection = None
                time.sleep(0.2)
        raise AssertionError("the database stayed away")

    def one(self, sql: str, *params: Any) -> Any:
        """The first column of the first row."""
        return self.rows(sql, *params)[0][0]

    def status(self, order_no: int) -> str:
        """The order's state by name."""
        from chadan.orders.states import OrderStatus

        return str(OrderStatus.of(self.one("select status from orders where order_no = %s", order_no)))

    def becomes(self, order_no: int, status: str, seconds: float = 60) -> None:
        """Waits for a state."""
        eventually(lambda: self.status(order_no) == status, f"{order_no} {status}", seconds)

    # Hurting it

    def pid(self, program: str) -> int:
        """The pid of one of the supervisor's programs; 0 while there is none."""
        assert self.process
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (OSError, ValueError):
                continue
            if parent == self.process.pid and PROGRAMS[program].encode() in words and alive(int(entry.name)):
                return int(entry.name)
        return 0

    def kill(self, program: str) -> int:
        """kill -9, of the very process the supervisor started. Returns its pid."""
        pid: int = eventually(lambda: self.pid(program), f"a {program}", 60)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not alive(pid), f"the {program}'s end", 10)
        return pid

    def kill_postgres(self) -> int:
        """kill -9 of the postmaster and everything under it. Returns how many processes that were."""
        layout = layout_of(control_folder(load({"CHADAN_DATA": str(self.data)})))
        postmaster = int((layout.data / "postmaster.pid").read_text().split("\n")[0])
        doomed = [postmaster, *children_of(postmaster)]
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not any(alive(pid) for pid in doomed), "the server's end", 20)
        return len(doomed)

    @contextmanager
    def held(self, table: str, operation: str, condition: str) -> Iterator[None]:
        """Whoever writes a row of `table` that fits `condition` (over NEW) stops there until the block ends."""
        name, key = f"fault_{secrets.token_hex(4)}", secrets.randbits(62)
        self.rows(
            f"create function {name}() returns trigger language plpgsql as"
            f" $$ begin perform pg_advisory_xact_lock_shared({key}); return new; end $$"
        )
        with self.connect() as holder:
            holder.execute("select pg_advisory_lock(%s)", (key,))
            self.rows(
                f"create trigger {name} before {operation} on {table} for each row"
                f" when ({condition}) execute function {name}()"
            )
            yield
        self.rows(f"drop function {name}() cascade")

    def stopped(self) -> bool:
        """Whether somebody waits at such a place."""
        return bool(self.one("select count(*) from pg_locks where locktype = 'advisory' and not granted"))


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == pid:
                found.append(int(entry.name))
    return found
