"""One LISTEN connection for all streams: hears of sequenced events and hands them to the hub."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from django.db import DatabaseError, InterfaceError, connection, connections

from chadan.eventlog import reading
from chadan.eventlog.sequencer import CHANNEL
from chadan.live.hub import Hub
from chadan.platform.scope import OPERATOR

log = logging.getLogger(__name__)
RETRY = 1.0
"""Seconds before a lost connection is made again."""
_FAILURES = (psycopg.Error, DatabaseError, InterfaceError, OSError)


class Listener:
    """Keeps the hub up to date until cancelled."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.ready = asyncio.Event()
        self._reader = ThreadPoolExecutor(1, "changes")  # Django's connections are a thread's own

    async def run(self) -> None:
        """Listens for ever; what was missed while the connection was lost is read afterwards."""
        while True:
            try:
                async with await _connect() as listening:
                    await listening.execute(f"listen {CHANNEL}")
                    await self._catch_up(await self._ask(reading.position))
                    self.ready.set()
                    async for note in listening.notifies():
                        await self._heard(json.loads(note.payload))
            except _FAILURES as error:
                log.warning("live lost the database", extra={"reason": str(error).strip()})
                await asyncio.get_running_loop().run_in_executor(self._reader, connection.close)
            except Exception:  # a defect must not leave every page without news
                log.exception("live could not tell what changed")
            await asyncio.sleep(RETRY)

    async def _heard(self, note: dict[str, Any]) -> None:
        if note["head"] <= self.hub.position:
            return  # read already, after a reconnection
        if note["bulk"] is not None and note["from"] == self.hub.position:
            self.hub.mark(note["bulk"], note["head"])
            return
        await self._catch_up(note["head"])

    async def _catch_up(self, head: int) -> None:
        start = self.hub.position
        if not self.ready.is_set() or not len(self.hub):
            self.hub.position = head
        elif head - start > reading.MOST_CHANGES * 5:
            self.hub.resync(head)
        elif head > start:
            self.hub.tell(await self._ask(reading.changes, OPERATOR, start, head), head)

    async def _ask(self, function: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._reader, function, *args)


async def _connect() -> psycopg.AsyncConnection[Any]:
    there = connections["default"].settings_dict
    return await psycopg.AsyncConnection.connect(
        host=there["HOST"],
        port=there["PORT"],
        dbname=there["NAME"],
        user=there["USER"],
        password=there["PASSWORD"],
        autocommit=True,
        application_name="chadan live",
        connect_timeout=10,
    )
