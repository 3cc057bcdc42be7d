"""The process that evaluates rules is killed at random points; every order is tagged once, with one event."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_tag_rules import make_rule, place, tag_events, tags, touch
from tests.support import event_log
from tests.support.waiting import eventually

pytestmark = [pytest.mark.fault, pytest.mark.integration, pytest.mark.long]
ROOT = Path(__file__).resolve().parents[2]
ORDERS, KILLS = 240, 5


def start(data: Path) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHADAN_")}
    env |= {"CHADAN_DATA": str(data), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "CHADAN_LOG_LEVEL": "ERROR"}
    return subprocess.Popen([sys.executable, "-m", "tests.support.rules_log"], env=env, cwd=ROOT)


def test_killed_at_random_points_every_order_is_tagged_once(database: Any, data_folder: Path) -> None:
    from tests.support.people import make_shop

    from chadan.tagging.consumers import NAME

    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    shop = make_shop(0)
    make_rule(shop, "first", "amount:>50")
    make_rule(shop, "second", "tag:first")
    now = datetime.now(UTC)
    orders = [
        place(shop, amount=chance.choice([1000, 9000]), at=now - timedelta(seconds=back)) for back in range(ORDERS)
    ]
    dear = {order_no for order_no in orders if _amount(database, order_no) > 5000}
    killed = 0
    with event_log.connect(database) as owner:
        process = start(data_folder)
        try:
            for place_of, order_no in enumerate(orders):
                touch(order_no)
                if place_of % (ORDERS // KILLS) == ORDERS // KILLS - 1:
                    before = _position(owner, NAME)
                    eventually(lambda now=before: _position(owner, NAME) > now, "the consumer's next batch", 30)
                    time.sleep(chance.random() * 0.2)
                    process.kill()
                    assert process.wait(10) == -signal.SIGKILL
                    killed += 1
                    process = start(data_folder)
            eventually(
                lambda: _position(owner, NAME) == event_log.head(owner) and not _waiting(owner),
                "the end of the log",
                60,
            )
        finally:
            process.terminate()
            process.wait(15)
    assert killed == KILLS and dear and len(dear) < ORDERS
    for order_no in orders:
        wanted = ["first", "second"] if order_no in dear else []
        assert tags(order_no) == set(wanted)
        assert tag_events(order_no) == [("tag.added", name) for name in wanted], "once, whatever was killed"


def _amount(database: Any, order_no: int) -> int:
    with event_log.connect(database) as owner:
        return int(owner.execute("select amount from orders where order_no = %s", (order_no,)).fetchone()[0])


def _position(owner: Any, name: str) -> int:
    row = owner.execute("select position from event_consumers where name = %s", (name,)).fetchone()
    return int(row[0]) if row else 0


def _waiting(owner: Any) -> int:
    return int(owner.execute("select count(*) from order_events where leaf_index is null").fetchone()[0])
