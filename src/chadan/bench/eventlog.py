"""`bench eventlog`: how fast events get their positions. Events the bench makes lie in a month the seed does not reach."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from statistics import median

from chadan.bench.figures import Bar, Result
from chadan.bench.sites import UNTIL, Site
from chadan.bench.tape import Connection
from chadan.orders.number import SHANGHAI, floor

EVENTS = 50_000
_MONTH = datetime(UNTIL.year - 4, 3, 1, tzinfo=SHANGHAI)
# As an import writes them: JSON of a few hundred bytes, salts, twenty merchants.
_MAKE = """
insert into order_events (order_no, home, order_seq, merchant_id, at, type, actor, biz, per, biz_salt, per_salt)
select %(low)s::bigint + n * 1000, n %% 20, 1, 2000000000 + n %% 20, now(), 'imported',
       '{"kind": "system", "role": "bench", "id": null, "name": "bench"}',
       jsonb_build_object('order_no', n::text, 'status', 'completed', 'amount', '98.00', 'paid', '98.00', 'sku', n::text),
       jsonb_build_object('account', n::text), sha256(n::text::bytea), sha256(n::text::bytea)
from generate_series(1, %(events)s) n
"""


def bench_eventlog(site: Site, _smaller: Site | None) -> Iterator[Result]:
    """Events a second, batch by batch as the process takes them, over all events that wait."""
    from chadan.eventlog.sequencer import BACKLOG_BATCH, Sequencer

    with site.bare() as connection:
        connection.execute("select ensure_order_partitions(%s, %s)", (_MONTH.date(), _MONTH.date()))
        sequencer = Sequencer(connection)
        if not sequencer.acquire():
            raise RuntimeError("a sequencer is at work in the bench database")
        while sequencer.live().events + sequencer.backlog().events:
            pass  # what the seed left
        for _round in range(2):  # the first one warms up
            _clean(connection)
            connection.execute(_MAKE, {"low": floor(_MONTH), "events": EVENTS})
            rates = []
            while True:
                start = time.perf_counter()
                done = sequencer.backlog().events
                if not done:
                    break
                rates.append(done / (time.perf_counter() - start))
        _clean(connection)
    yield Result(
        *("sequence events", median(rates), "events/s", EVENTS),
        bar=Bar("value", least=10_000),
        extra={"batch": BACKLOG_BATCH, "slowest_batch": min(rates)},
    )


def _clean(connection: Connection) -> None:
    connection.execute(f"truncate order_events_{_MONTH:%y%m}")
    connection.execute("delete from event_log_tenants where merchant_id >= 2000000000")
