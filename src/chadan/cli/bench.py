"""`./chadan bench`: figures beside their floors, measured in one run."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

DEFAULT_ORDERS = 1_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """What to measure, at which size."""
    from chadan.bench.run import BENCHES
    from chadan.cli.seed import orders

    listing = "; ".join(f"{name}: {about}" for name, (_module, _function, about) in BENCHES.items())
    parser.add_argument("name", nargs="*", metavar="NAME", help=f"{listing}. All without a name")
    parser.add_argument("--orders", type=orders, default=DEFAULT_ORDERS, metavar="N", help="size; default 1,000,000")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object on standard output; the table goes to stderr"
    )
    parser.add_argument("--fresh", action="store_true", help="seed this size anew")
    parser.add_argument("--drop", action="store_true", help="remove this size's database and measure nothing")
    parser.add_argument("--markdown", type=Path, nargs="+", metavar="FILE", help="print tables of earlier --json runs")
    parser.epilog = "Databases are kept in $CHADAN_DATA/bench/N, each with its own embedded server."


def run(args: argparse.Namespace) -> int:
    """Measures and prints; exit code 0 whether bars are met or not."""
    from chadan.bench import report
    from chadan.bench.sites import drop

    if args.markdown:
        print(report.markdown([report.read(path) for path in args.markdown]), end="")
        return 0
    if args.drop:
        print(f"Removed {args.orders:,} orders." if drop(args.orders) else f"There is no database of {args.orders:,}.")
        return 0
    if args.fresh:
        drop(args.orders)
    from chadan.bench.run import BENCHES
    from chadan.bench.run import run as measure

    out = sys.stderr if args.json else sys.stdout
    print(report.heading(), file=out, flush=True)
    found = measure(
        args.name or list(BENCHES),
        args.orders,
        lambda result: print(report.line(result.as_json()), file=out, flush=True),
    )
    if args.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    return 0
