"""`chadan export` uses the same services, without a worker."""

from __future__ import annotations

import csv
import errno
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


def test_a_full_target_is_named(shop):
    from pathlib import Path

    from chadan.cli import export

    source = Path(__file__)
    with pytest.MonkeyPatch.context() as patch:

        def full(read, written):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(read))

        patch.setattr(export.shutil, "copyfile", full)
        with pytest.raises(OSError, match="No space left") as failed:
            export._deliver(source, source.with_name("target.csv"))
    assert failed.value.filename == str(source.with_name("target.csv"))


def test_find_masks_accounts_unless_the_role_may_and_asks(shop):
    from tests.support.names import PHONE

    from chadan.exports.models import AuditEvent

    owner, support = shop.staff["owner"], shop.staff["support"]
    for words in ((), ("--json",)):
        masked = chadan("find", "amount:>0", "--as", owner.username, *words)
        assert masked.returncode == 0, masked.stderr
        assert PHONE not in masked.stdout and f"{PHONE[:3]}****{PHONE[-4:]}" in masked.stdout
    refused = chadan("find", "amount:>0", "--as", support.username, "--unmasked")
    assert refused.returncode == 1 and PHONE not in refused.stdout
    assert AuditEvent.objects.filter(type="accounts.shown").count() == 0
    clear = chadan("find", "amount:>0", "--as", owner.username, "--unmasked", "--limit", "2")
    assert clear.stdout.count(PHONE) == 2
    event = AuditEvent.objects.get(type="accounts.shown")
    assert (event.user_id, event.merchant_id, len(event.details["orders"])) == (owner.pk, shop.merchant.pk, 2)


def test_find_and_export_refuse_what_the_role_may_not_see(shop, tmp_path):
    for words in (("find", "tag:x"), ("export", "--query", "supplier:x", "-o", str(tmp_path / "a.csv"))):
        refused = chadan(*words, "--as", shop.buyer.username)
        assert refused.returncode == 1
        assert len(refused.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
