"""Databases to measure in: each size is a data folder of its own with its own embedded server, kept between runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

import chadan
from chadan.orders.number import SHANGHAI
from chadan.platform.config import Address, Config, get_config, load
from chadan.platform.errors import InvalidInput

UNTIL = datetime(2026, 11, 20, 22, 0, tzinfo=SHANGHAI)
"""The last moment orders are placed at: the same at every size, so that the same windows hold the same share of orders."""
KEPT = ("CHADAN_LOG_LEVEL", "CHADAN_LANGUAGE")
"""Settings of the installation that reach the measured processes; everything else is its default."""


@dataclass(slots=True)
class Site:
    """One size's database, running."""

    orders: int
    config: Config
    owner: Address
    wrapper: Any = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this site's processes."""
        source = str(Path(chadan.__file__).resolve().parents[1])
        return {**_foreign(os.environ), **_settings(self.config.data), "PYTHONPATH": source}

    def bare(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A plain connection as the owner: no scope, no row-level security."""
        return _connect(self.owner)

    def product(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A plain connection as the application's role, with the application's connection settings."""
        from chadan.platform.database import app_address, django_databases

        options = django_databases(self.config, self.owner)["default"]["OPTIONS"]
        return _connect(app_address(self.config, self.owner), options=options["options"])

    def enter(self) -> None:
        """Makes this the database that services and pages of this process use."""
        from django.db import connections

        if self.wrapper is None:
            from chadan.platform.backend.base import DatabaseWrapper
            from chadan.platform.database import django_databases

            there = django_databases(self.config, self.owner)["default"]
            self.wrapper = DatabaseWrapper({**connections["default"].settings_dict, **there}, "default")
        connections["default"] = self.wrapper


def _connect(address: Address, **extra: Any) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        host=address.host,
        port=address.port,
        dbname=address.name,
        user=address.user,
        password=address.password,
        autocommit=True,
        **extra,
    )


def folder(orders: int) -> Path:
    """The data folder of a size, inside the installation's own."""
    return _home() / "bench" / str(orders)


_HOME: list[Path] = []


def _home() -> Path:
    if not _HOME:  # a site replaces CHADAN_DATA in this process
        _HOME.append(get_config().data)
    return _HOME[0]


def _foreign(environment: Any) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("CHADAN_")}


def _settings(data: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "CHADAN_DATA": str(data), "CHADAN_WEB_WORKERS": "1"}


def drop(orders: int) -> bool:
    """Removes a size's folder; False when there is none. Raises InvalidInput while its server runs."""
    path = folder(orders)
    if not path.exists():
        return False
    if any((path / "postgres").rglob("postmaster.pid")):
        raise InvalidInput(f"The server in {path} is running.", hint="End what uses it first.")
    shutil.rmtree(path)
    return True


def sizes() -> list[int]:
    """The sizes there are, small ones first."""
    path = _home() / "bench"
    return sorted(int(one.name) for one in path.iterdir() if one.name.isdigit()) if path.is_dir() else []


@contextmanager
def running(orders: int, *, first: bool) -> Iterator[Site]:
    """A size's site with its server up and its orders in; the `first` one is the database this process's Django gets."""
    from chadan.platform.postgres import database_running, show_progress

    data = folder(orders)
    data.mkdir(parents=True, exist_ok=True)
    if first:
        for name in [name for name in os.environ if name.startswith("CHADAN_")]:
            if name not in KEPT:
                del os.environ[name]
        os.environ.update(_settings(data))
        get_config.cache_clear()
    config = load(_settings(data))
    with database_running(config, show_progress) as owner:
        site = Site(orders, config, owner)
        _fill(site)
        if first:
            import django

            django.setup()
        site.enter()
        try:
            yield site
        finally:
            site.wrapper.close()


def _fill(site: Site) -> None:
    """Seeds an empty site, in a process of its own: Django in this one belongs to the first site. One from before is migrated."""
    with site.bare() as connection:
        row = connection.execute("select to_regclass('orders')").fetchone()
        filled = row and row[0] and connection.execute("select 1 from orders limit 1").fetchone()
    if filled:
        command = [sys.executable, "-m", "chadan", "migrate"]
        subprocess.run(command, env=site.environment, stdout=sys.stderr.fileno(), check=True)
        return
    until = UNTIL.replace(tzinfo=None).isoformat(timespec="minutes")
    command = [sys.executable, "-m", "chadan", "seed", "--orders", str(site.orders), "--bulk", "--until", until]
    subprocess.run(command, env=site.environment, stdout=sys.stderr.fileno(), check=True)
    with site.bare() as connection:
        connection.execute("vacuum (analyze)")
