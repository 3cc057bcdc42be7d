"""`chadan seed`: an empty database is filled, twice the same; a filled one is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
import pytest

from chadan.catalog.fields import read
from chadan.platform.config import Address

pytestmark = pytest.mark.integration
SOURCE = str(Path(__file__).resolve().parents[2] / "src")


def seed(address: Address, name: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    user = f"{quote(address.user)}:{quote(address.password)}"
    url = f"postgresql://{user}@/{name}?{urlencode({'host': address.host, 'port': address.port})}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHADAN_")}
    env |= {"PYTHONPATH": SOURCE, "CHADAN_DATA": str(folder), "CHADAN_DATABASE_URL": url}
    command = [sys.executable, "-m", "chadan", "seed", *options]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)


def connect(address: Address, name: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=address.host, port=address.port, dbname=name, user=address.user, password=address.password, autocommit=True
    )


def fingerprint(address: Address, name: str) -> list[tuple[object, ...]]:
    """Everything of the orders that must be the same, hashed in the database."""
    with connect(address, name) as connection:
        return connection.execute(
            "select count(*), md5(string_agg(t::text, '|' order by order_no)) from orders t"
            " union all select count(*), md5(string_agg(t::text, '|' order by home, kind, scope_id, ref)) from external_refs t"
            " union all select count(*), md5(string_agg(biz::text || per::text, '|' order by order_no))"
            " from (select order_no, biz - 'cards' as biz, per from order_events) e"
        ).fetchall()


@pytest.fixture
def databases(postgres: Address):
    names = ("seeded_one", "seeded_two")
    with connect(postgres, postgres.name) as connection:
        for name in names:
            connection.execute(f"create database {name}")
    yield names
    with connect(postgres, postgres.name) as connection:
        for name in names:
            # Not with (force): an autovacuum worker is the superuser's to end; a plain drop sees to it by itself.
            connection.execute(f"drop database if exists {name}")


def test_twice_the_same_and_never_over_orders(postgres: Address, databases: tuple[str, str], tmp_path: Path):
    options = ("--orders", "1500", "--until", "2026-05-01T21:00", "--seed", "7")
    prints = []
    for name in databases:
        done = seed(postgres, name, tmp_path, *options)
        assert done.returncode == 0, done.stderr
        prints.append(fingerprint(postgres, name))
    assert prints[0] == prints[1]
    assert prints[0][0][0] == prints[0][2][0] == 1500
    again = seed(postgres, databases[0], tmp_path, *options)
    assert again.returncode == 1
    assert "not empty" in again.stderr
    assert "Traceback" not in again.stderr
    with connect(postgres, databases[0]) as connection:
        left = connection.execute("select relname from pg_class where relname like '%loading%'").fetchall()
        bad = connection.execute("select indexrelid::regclass from pg_index where not indisvalid").fetchall()
        indexes = connection.execute(
            "select relname from pg_class c where relkind = 'p' and exists (select 1 from pg_inherits where inhparent = c.oid)"
            " and (select count(distinct (select count(*) from pg_index x where x.indrelid = i.inhrelid))"
            " from pg_inherits i where i.inhparent = c.oid) > 1"
        ).fetchall()
        months = connection.execute(
            "select count(*) from pg_inherits where inhparent::regclass::text like 'order%' and inhrelid::regclass::text !~ 'idx|key'"
            " and (select relkind from pg_class where oid = inhparent) = 'p' group by inhparent"
        ).fetchall()
        shelves = connection.execute(
            "select count(*) filter (where active), bool_and(description <> ''),"
            " count(*) filter (where active and jsonb_array_length(fields) > 0) from products group by merchant_id"
        ).fetchall()
        asked = connection.execute("select distinct fields::text from products").fetchall()
        stocked = connection.execute(
            "select count(*), count(distinct s.merchant_id), bool_and(p.active) from stock_cards s join products p on p.id = s.product_id"
        ).fetchone()
    assert left == bad == indexes == []
    assert len(months) == 9 and len(set(months)) == 1, "whatever an old order may come to own has its month's table"
    assert len(shelves) == 50
    assert all(
        20 <= int(str(shown)) <= 40 and described and int(str(filled)) > 0 for shown, described, filled in shelves
    )
    assert all(read(json.loads(str(fields))) is not None for (fields,) in asked), "every field is of a known kind"
    assert stocked is not None and int(str(stocked[0])) > 5000 and stocked[1:] == (50, True)


@pytest.mark.parametrize(
    "options", [("--orders", "0"), ("--orders", "many"), ("--until", "2091-01-01"), ("--until", "soon")]
)
def test_wrong_arguments_get_a_sentence(postgres: Address, tmp_path: Path, options: tuple[str, str]):
    done = seed(postgres, "unused", tmp_path, *options)
    assert done.returncode == 2
    assert "argument --" in done.stderr
