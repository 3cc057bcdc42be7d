"""`./chadan seed --orders N`: a made-up shop of any size in an empty database."""

from __future__ import annotations

import argparse
from datetime import datetime

DEFAULT_ORDERS = 20_000
MOST = 50_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--orders", type=orders, default=DEFAULT_ORDERS, metavar="N", help="how many orders")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="the same number gives the same orders")
    parser.add_argument(
        "--until", type=moment, metavar="TIME", help="the last moment, such as 2026-11-23T12:00; default: now"
    )
    parser.add_argument(
        "--bulk", action="store_true", help="few cards and notes, for measuring; from 500,000 orders always"
    )


def orders(text: str) -> int:
    """A number of orders, as an argument."""
    number = text.replace("_", "").replace(",", "")
    if not number.isdigit() or not 1 <= int(number) <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST:,}")
    return int(number)


def moment(text: str) -> datetime:
    """A moment in Asia/Shanghai, not in the future, as an argument."""
    from chadan.orders.number import SHANGHAI, now

    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-23T12:00") from None
    value = value if value.tzinfo else value.replace(tzinfo=SHANGHAI)
    if value.year < 2002 or value > now():
        raise argparse.ArgumentTypeError("the last moment lies between the year 2002 and now")
    return value


def run(args: argparse.Namespace) -> int:
    """Seeds; exit code 1 when the database holds orders already."""
    from chadan.cli.bar import Bar
    from chadan.orders.number import now
    from chadan.platform.config import get_config
    from chadan.platform.migrate import migrate
    from chadan.platform.postgres import database_running, show_progress

    with database_running(get_config(), show_progress) as owner:
        migrate(owner)
        from chadan.seeding.fill import SEED, seed

        with Bar("orders", args.orders) as bar:
            seconds = seed(
                owner,
                args.orders,
                args.until or now(),
                number=SEED if args.seed is None else args.seed,
                bulk=args.bulk,
                progress=bar.add,
            )
    print(f"{args.orders:,} orders in {seconds:,.1f} s ({args.orders / seconds:,.0f}/s).")
    return 0
