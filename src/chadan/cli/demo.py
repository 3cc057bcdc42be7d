"""`./chadan demo`: a shop to look around in, from nothing to a running site."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from chadan.cli.seed import orders

if TYPE_CHECKING:
    from pathlib import Path

    from chadan.platform.config import Config
    from chadan.platform.processes import Program

DEFAULT_ORDERS = 24_000
NO_SANDBOX = "Its shops take no payments: the payment sandbox runs on 127.0.0.1 only."


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--orders", type=orders, default=DEFAULT_ORDERS, metavar="N", help="how many orders a new demo gets"
    )
    parser.add_argument("--port", type=port, metavar="P", help="the port to listen on; default 8000")


def port(text: str) -> int:
    """A TCP port, as an argument."""
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Starts everything; a second start finds the same orders and passwords. Returns the site's exit code."""
    from chadan.platform.config import LOOPBACK, get_config

    # The site's processes read the environment.
    if args.port is not None:
        host = get_config().listen_host
        os.environ["CHADAN_LISTEN"] = f"[{host}]:{args.port}" if ":" in host else f"{host}:{args.port}"
        get_config.cache_clear()
    if get_config().listen_host in LOOPBACK:
        os.environ.setdefault("CHADAN_SANDBOX", "1")
        get_config.cache_clear()
    from chadan.ops.serve import only_site, refuse_taken_port
    from chadan.platform.logs import logging_config

    config = get_config()
    logging_config(config.log_level)
    with only_site(config):
        refuse_taken_port(config)
        return _run(config, args.orders)


def _run(config: Config, count: int) -> int:
    from chadan.ops.serve import local_url, run_site
    from chadan.platform.migrate import connect, migrate
    from chadan.platform.postgres import database_running, show_progress

    with database_running(config, show_progress) as owner:
        migrate(owner)
        from django.db import connections

        from chadan.orders.bulk import is_empty
        from chadan.seeding.organised import settle_organised
        from chadan.seeding.people import settle_people, table

        with connect(owner) as connection:
            empty = is_empty(connection)
        if empty:
            _seed(owner, count)
        file = config.data / "demo.json"
        accounts = settle_people(file, config.origin or local_url(config))
        settle_organised()
        beside = _playground(config, file)
        connections.close_all()

        def ready(url: str) -> None:
            print(f"\n{table(accounts)}\n\nThese accounts are also in {file}.")
            print(f"Buy something at {url}/s/xinghe: no real money moves." if beside else NO_SANDBOX)
            print(f"Chadan is at {url} (Ctrl-C stops it).", flush=True)

        return run_site(config, ready, beside)


def _playground(config: Config, file: Path) -> list[Program]:
    """The payment sandbox, where the site listens on this machine alone: elsewhere it would take its visitors' word for money."""
    if not config.sandbox:
        return []
    from chadan.ops.serve import local_url
    from chadan.platform.postgres import show_progress
    from chadan.seeding.playground import settle_playground

    show_progress("Opening the tills.")
    return [settle_playground(file, local_url(config), config.data / "sandbox")]


def _seed(owner: object, count: int) -> None:
    from chadan.cli.bar import Bar
    from chadan.orders.number import now
    from chadan.platform.config import Address
    from chadan.platform.postgres import show_progress
    from chadan.seeding.fill import seed

    assert isinstance(owner, Address)  # noqa: S101 - narrows for the type checker
    show_progress(f"Filling the demo shop with {count:,} orders.")
    with Bar("orders", count) as bar:
        seed(owner, count, now(), progress=bar.add)
