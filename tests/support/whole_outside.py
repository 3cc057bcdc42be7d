"""What lies around the machine that drives everything: suppliers on loopback, the site itself for peers to call, and the log's process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support import event_log
from tests.support.names import unique
from tests.support.waiting import eventually

TABLE = "whole_noted"
"""Where the consumer of the log notes what it was given."""


@dataclass
class Outside:
    """The running sandbox and site. `peer_faults` strike at the next calls to the other Chadan: late (bought, and the answer is lost)
    or deaf (never heard).
    """

    suppliers: Any = None
    url: str = ""
    database: Any = None
    peer_faults: list[str] = field(default_factory=list)

    def calm(self) -> None:
        """Nobody misbehaves."""
        self.suppliers.desk.faults.clear()
        self.peer_faults.clear()


OUTSIDE = Outside()


@contextmanager
def outside_running(folder: Path, database: Any) -> Iterator[None]:
    """Everything that listens, with nobody waiting for calls that may be under way."""
    from tests.support.served import pages_served
    from tests.support.supplied import suppliers_running

    from chadan.delivery import connections, procurement
    from chadan.delivery.suppliers.base import SupplierUnreachable
    from chadan.delivery.suppliers.chadan import Chadan

    real = Chadan.buy

    def buy(self: Chadan, purchase: Any) -> Any:
        fault = OUTSIDE.peer_faults.pop() if OUTSIDE.peer_faults else ""
        if fault == "deaf":
            raise SupplierUnreachable("no answer")
        told = real(self, purchase)
        if fault == "late":
            raise SupplierUnreachable("the line went dead")
        return told

    with suppliers_running(folder) as suppliers, pages_served() as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(procurement, "GRACE", timedelta(0))
        patch.setattr(connections, "callback_url", lambda supplier: f"{url}/supply/notify/{supplier.pk}/")
        patch.setattr(Chadan, "buy", buy)
        OUTSIDE.suppliers, OUTSIDE.url, OUTSIDE.database = suppliers, url, database
        with event_log.connect(database) as owner:
            owner.execute(f"create table {TABLE} (position bigint not null)")
            owner.execute(f"grant select, insert on {TABLE} to {database.name}_app")
            try:
                yield
            finally:
                owner.execute(f"drop table {TABLE}")
                owner.execute("delete from event_consumers where name like 'whole.%'")


class Log:
    """The sequencer, which may be killed, and a consumer with a cursor, which may fail; both read from here on."""

    def __init__(self) -> None:
        from chadan.eventlog.consumers import Consumer

        self.owner = event_log.connect(OUTSIDE.database)
        self.owner.execute(f"truncate {TABLE}")
        self.sequencer: Any = None
        self.drain()
        self.start = event_log.head(self.owner)
        self.fails = False
        self.consumer = Consumer(unique("whole."), self._note, batch=7)
        self.owner.execute(
            "insert into event_consumers (name, position) values (%s, %s)", (self.consumer.name, self.start)
        )

    def sequence(self, *, killed: bool = False) -> int:
        """One batch; `killed` ends the process after the positions are written and before they are committed. How many it took."""
        sequencer = self._leading()
        if not killed:
            return int(sequencer.live().events + sequencer.backlog().events)
        execute = sequencer.connection.execute

        def die(sql: Any, *args: Any, **kwargs: Any) -> Any:
            done = execute(sql, *args, **kwargs)
            if "update order_events" in str(sql):
                sequencer.connection.close()
                raise ConnectionError("killed")
            return done

        sequencer.connection.execute = die
        try:
            sequencer.live()
        except Exception:  # noqa: BLE001 - whatever a closed connection raises
            self.sequencer = None
        else:
            sequencer.connection.execute = execute
        return 0

    def drain(self) -> None:
        """Gives every event there is its position."""
        while self.sequence():
            pass

    def consume(self, *, fails: bool = False) -> int:
        """A batch for the consumer; `fails` breaks off after its notes are written. How many events it is done with."""
        from chadan.eventlog.consumers import step

        self.fails = fails
        done = step(self.consumer)
        # What failed is tried again at once, and never so often that it is parked.
        self.owner.execute(
            "update event_consumers set retry_at = null, attempts = least(attempts, 1) where name = %s",
            (self.consumer.name,),
        )
        return done

    def wrong(self, *, drained: bool = False) -> list[str]:
        """What is wrong with the log and with what the consumer was given."""
        found = event_log.broken(self.owner, self.start)
        noted = [row[0] for row in self.owner.execute(f"select position from {TABLE} order by position")]
        until = event_log.head(self.owner) if drained else self.start + len(noted)
        if noted != list(range(self.start, until)):
            found.append(f"the consumer was given {noted[:9]}…, {len(noted)} positions, from {self.start} to {until}")
        return found

    def close(self) -> None:
        """Ends its connections."""
        if self.sequencer is not None:
            self.sequencer.connection.close()
        self.owner.close()

    def _note(self, session: Any, events: Any) -> None:
        for event in events:
            session.run(f"insert into {TABLE} values (%s)", (event.position,))
        if self.fails:
            raise ValueError("as the test wishes")

    def _leading(self) -> Any:
        from chadan.eventlog.sequencer import Sequencer, owner_connection

        if self.sequencer is None:
            made = Sequencer(owner_connection())
            eventually(made.acquire, "the lock")  # a server ends a closed connection in its own time
            self.sequencer = made
        return self.sequencer
