"""`./chadan rotate-keys`: a new data key for a merchant's cards, or a new key file around all data keys."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--merchant", metavar="SLUG", help="a new data key for this merchant, and all its cards sealed under it"
    )
    what.add_argument(
        "--kek", type=Path, metavar="NEWFILE", help="wrap all data keys under the 32-byte key in this file instead"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="with --merchant: go on with a rotation that was stopped, without another key",
    )


def run(args: argparse.Namespace) -> int:
    """Rotates; cards open before, during and after."""
    from chadan.cli.bar import Bar
    from chadan.platform.config import get_config
    from chadan.platform.migrate import migrate
    from chadan.platform.postgres import database_running, show_progress

    with database_running(get_config(), show_progress) as owner:
        migrate(owner)
        from chadan.delivery import rotation

        if args.kek is not None:
            many = rotation.rewrap(args.kek)
            print(
                f"{many:,} card keys are wrapped under the new key. Now let CHADAN_KEK_FILE name {args.kek}, and restart."
            )
            return 0
        with Bar("cards") as bar:
            done = rotation.rotate(args.merchant, fresh=not args.resume, progress=bar.add)
    print(f"Sealed anew: {done.stock:,} cards in stock, {done.orders:,} delivered ones.")
    return 0
