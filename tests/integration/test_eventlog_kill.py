"""The event log's process is killed at random points; nothing is lost, nothing happens twice, a standby goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support import event_log
from tests.support.waiting import eventually

from chadan.platform.processes import tied

pytestmark = [pytest.mark.fault, pytest.mark.integration, pytest.mark.long]
ROOT = Path(__file__).resolve().parents[2]
KILLS = 6
_LEADER = "select pid from pg_locks where locktype = 'advisory' and objid = %s and granted"


def start(data: Path) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHADAN_")}
    env |= {"CHADAN_DATA": str(data), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "CHADAN_LOG_LEVEL": "ERROR"}
    return subprocess.Popen(tied(sys.executable, "-m", "tests.support.counting_log"), env=env, cwd=ROOT)


def test_killed_at_random_points_it_leaves_no_gap_and_no_effect_twice(database: Any, data_folder: Path) -> None:
    from tests.support.counting_log import NAME

    from chadan.eventlog.sequencer import _LOCK

    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    merchants = [event_log.merchant() for _ in range(3)]
    stop, written = threading.Event(), [0]

    def work() -> None:
        with event_log.connect(database) as connection:
            while not stop.is_set():
                event_log.write(connection, merchants[written[0] % 3])
                written[0] += 1
                stop.wait(0.002)

    with event_log.connect(database) as owner:
        begin = event_log.head(owner)
        waiting = owner.execute("select count(*) from order_events where leaf_index is null").fetchone()[0]
        owner.execute("create table killed_noted (position bigint not null)")
        owner.execute(f"grant insert on killed_noted to {database.name}_app")
        owner.execute("insert into event_consumers (name, position) values (%s, %s)", (NAME, begin))
        writer = threading.Thread(target=work)
        writer.start()
        processes = [start(data_folder)]
        led = set()
        try:
            for _ in range(KILLS):
                before = event_log.head(owner)
                eventually(lambda now=before: event_log.head(owner) > now, "sequencing after a kill", 30)
                led.add(owner.execute(_LEADER, (_LOCK,)).fetchone()[0])
                processes.append(start(data_folder))  # a standby
                time.sleep(chance.random() * 3)
                leader = processes.pop(0)
                leader.kill()
                assert leader.wait(10) == -signal.SIGKILL
            stop.set()
            writer.join()
            end = begin + waiting + written[0]
            eventually(lambda: event_log.head(owner) == end, "the end of the log", 30)
            done = "select position from event_consumers where name = %s"
            eventually(lambda: owner.execute(done, (NAME,)).fetchone()[0] == end, "the consumer's end", 30)
        finally:
            stop.set()
            for process in processes:
                process.terminate()
                process.wait(15)
        noted = [row[0] for row in owner.execute("select position from killed_noted order by position")]
        assert len(led) == KILLS, "each time another connection took over"
        assert event_log.broken(owner, begin) == []
        assert noted == list(range(begin, end))
        owner.execute("drop table killed_noted")
        owner.execute("delete from event_consumers where name = %s", (NAME,))
