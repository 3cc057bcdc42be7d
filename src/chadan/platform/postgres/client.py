"""Holds the embedded server up for as long as this process needs it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chadan
from chadan.platform.config import Config
from chadan.platform.errors import DatabaseUnavailable
from chadan.platform.postgres import cluster
from chadan.platform.postgres.identity import remember, resolve
from chadan.platform.postgres.layout import control_folder, owner_password, refuse_other_major

Progress = Callable[[str], None]
log = logging.getLogger(__name__)
ATTEMPTS = 20  # a keeper that is just going is replaced by the next one
PAUSE = 0.1
LOG_BYTES = 1 << 20


class Hold:
    """This process's wish that the server runs: between `acquire` and `release` it does."""

    def __init__(self, config: Config, progress: Progress | None) -> None:
        self.config = config
        self.progress = progress or (lambda _text: None)
        self.identity, self.layout = resolve(control_folder(config))
        self.connection: socket.socket | None = None
        self.keepers: list[subprocess.Popen[bytes]] = []
        self.watch: threading.Thread | None = None
        self.released = False
        self.stays = False

    def acquire(self) -> None:
        """Returns when the server accepts connections. Raises ConfigError or DatabaseUnavailable."""
        cluster.prepare_folders(self.identity, self.layout)
        refuse_other_major(self.layout, self.identity.version().split(".", 1)[0])
        remember(self.identity, self.layout)
        owner_password(self.config)
        self._connect_until_ready()
        self.watch = threading.Thread(target=self._watch, name="postgres keeper watch", daemon=True)
        self.watch.start()

    def release(self) -> None:
        """Lets go; returns when the server has stopped, or at once when others still use it."""
        self.released = True
        if self.connection:
            with contextlib.suppress(OSError):  # the keeper may be gone already
                self.connection.shutdown(socket.SHUT_WR)
        if self.watch:
            self.watch.join()
        elif self.connection:
            self._drain(self.connection)
        if self.connection:
            self.connection.close()
        self._reap()

    def _connect_until_ready(self) -> None:
        for _ in range(ATTEMPTS):
            self.connection = self._door() or self._spawn()
            if self.connection is None:
                continue
            if self._ready(self.connection):
                return
            self.connection.close()
            time.sleep(PAUSE)
        raise DatabaseUnavailable(f"The embedded PostgreSQL does not start: {self._keeper_words()}")

    def _door(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self.layout.run / "keeper.sock"))
        except (FileNotFoundError, ConnectionError):
            connection.close()
            return None
        return connection

    def _spawn(self) -> socket.socket | None:
        """Starts a keeper and returns a connection to it, or None when it ended, as it does when another one serves."""
        source = str(Path(chadan.__file__).parents[1])
        log_file = self.layout.control / "keeper.log"
        fresh = not log_file.exists() or log_file.stat().st_size > LOG_BYTES
        with log_file.open("wb" if fresh else "ab") as words:
            keeper = subprocess.Popen(
                [
                    *(sys.executable, "-m", "chadan.platform.postgres.keeper"),
                    *(str(self.layout.control), str(self.config.data / "secrets" / "database_owner")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": source, "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        self.keepers.append(keeper)
        while keeper.poll() is None:
            door = self._door()
            if door:
                return door
            time.sleep(PAUSE / 2)
        time.sleep(PAUSE)
        return None

    def _ready(self, connection: socket.socket) -> bool:
        """Reads the keeper's words until the server is ready; False when the keeper leaves without a reason."""
        with contextlib.suppress(ConnectionError), connection.makefile("rb") as words:  # reset: killed as it answered
            for line in words:
                word: dict[str, Any] = json.loads(line)
                if "error" in word:
                    connection.close()
                    self._reap()
                    raise DatabaseUnavailable(word["error"], hint=word.get("hint", ""))
                if "progress" in word:
                    self.progress(word["progress"])
                if "ready" in word:
                    return True
        return False

    def _watch(self) -> None:
        """Brings a killed keeper back while this process still needs the server."""
        while not self.released and self.connection:
            self._drain(self.connection)
            if self.released:
                return
            log.warning("the keeper of the embedded PostgreSQL is gone; starting another")
            self.connection.close()
            try:
                self._connect_until_ready()
            except DatabaseUnavailable as error:
                log.error("the embedded PostgreSQL cannot be started again: %s", error)  # noqa: TRY400 - one sentence
                return

    def _drain(self, connection: socket.socket) -> None:
        """Reads until the keeper ends the connection, and notes whether it stays for others."""
        words = b""
        with contextlib.suppress(OSError):
            while block := connection.recv(65536):
                words = (words + block)[-200:]
        self.stays = b'"stays"' in words

    def _reap(self) -> None:
        for keeper in self.keepers:
            if self.stays and keeper.poll() is None:
                keeper.returncode = 0  # it serves other processes and is no longer this one's concern
            keeper.wait()

    def _keeper_words(self) -> str:
        words = (self.layout.control / "keeper.log").read_text(errors="replace").strip().splitlines()
        return words[-1] if words else "it gave no reason."
