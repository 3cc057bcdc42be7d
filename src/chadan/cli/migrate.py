"""`chadan migrate`."""

from __future__ import annotations

import argparse

from chadan.platform.config import get_config
from chadan.platform.postgres import database_running, show_progress


def configure(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""
    parser.epilog = "Safe to run again and again; serve and demo do it by themselves."


def run(_args: argparse.Namespace) -> int:
    """Migrates the configured database."""
    from chadan.platform.migrate import migrate

    with database_running(get_config(), show_progress) as owner:
        migrate(owner)
    print("The database is up to date.")
    return 0
