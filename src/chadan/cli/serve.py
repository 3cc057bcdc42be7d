"""`chadan serve`."""

from __future__ import annotations

import argparse

from chadan.platform.config import get_config
from chadan.platform.postgres import database_running, show_progress


def configure(parser: argparse.ArgumentParser) -> None:
    """No options: the settings are environment variables (docs/reference/settings.md)."""
    parser.epilog = "CHADAN_LISTEN, CHADAN_DATABASE_URL and the other settings: docs/reference/settings.md."


def run(_args: argparse.Namespace) -> int:
    """Runs the site until it is told to stop."""
    from chadan.ops.serve import only_site, refuse_taken_port, run_site
    from chadan.platform.logs import logging_config
    from chadan.platform.migrate import migrate

    config = get_config()
    logging_config(config.log_level)
    with only_site(config):
        refuse_taken_port(config)
        with database_running(config, show_progress) as owner:
            migrate(owner)
            return run_site(config, lambda url: print(f"Chadan is at {url} (Ctrl-C stops it).", flush=True))
