"""`chadan export` uses the same services, without a worker."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys

import pytest

from chadan.orders import number

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shop(database):
    from tests.support.people import make_shop

    return make_shop(orders=6)


def chadan(*words):
    return subprocess.run(
        [sys.executable, "-m", "chadan", *words],
        check=False,
        env={**os.environ, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_export_writes_what_the_query_finds(shop, tmp_path):
    target = tmp_path / "orders.csv"
    owner = shop.staff["owner"].username
    done = chadan("export", "--as", owner, "--query", "amount:>98.02", "--columns", "order_no,cost", "-o", str(target))
    assert done.returncode == 0, done.stderr
    assert "3 orders" in done.stderr
    assert target.stat().st_mode & 0o777 == 0o600
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["订单号", "成本"]
    assert {row[0] for row in rows[1:]} == {f"{number.text(one)}\t" for one in shop.orders[3:]}
    assert list(tmp_path.iterdir()) == [target]


def test_commands_speak_english_and_files_the_configured_language(shop, tmp_path):
    owner = shop.staff["owner"].username
    for words in (
        ("export", "--as", "nobody-here", "-o", str(tmp_path / "a.csv")),
        ("export", "--as", owner, "--query", "status:nonsense", "-o", str(tmp_path / "a.csv")),
        ("export", "--as", owner, "--columns", "nonsense", "-o", str(tmp_path / "a.csv")),
        ("find", "status:nonsense", "--as", owner),
    ):
        done = chadan(*words)
        assert done.stderr.startswith("chadan: ") and not re.search("[一-龥]", done.stderr), done.stderr


def test_what_the_role_may_not_take_is_one_line(shop, tmp_path):
    target = tmp_path / "orders.xlsx"
    refused = chadan("export", "--as", shop.staff["support"].username, "--columns", "cost", "-o", str(target))
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not target.exists()
    assert chadan("export", "--as", "nobody", "-o", str(target)).returncode == 1
    assert chadan("export", "--as", "nobody", "-o", str(tmp_path / "orders.doc")).returncode == 1
