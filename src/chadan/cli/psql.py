"""`chadan psql`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess

from chadan.platform.config import get_config
from chadan.platform.errors import ConfigError
from chadan.platform.postgres import database_running, show_progress
from chadan.platform.postgres.layout import binaries, wheel_folder

PASSES_REST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """Everything after the command goes to psql."""
    parser.epilog = "Every other argument goes to psql, for instance -c 'select 1'."


def run(args: argparse.Namespace) -> int:
    """Runs the embedded psql (or the one on PATH) on the database. Returns psql's exit code."""
    config = get_config()
    program = shutil.which("psql") if config.external else str(binaries(wheel_folder()) / "psql")
    if program is None:
        raise ConfigError("psql is not installed.", hint="Install the PostgreSQL client.")
    with database_running(config, show_progress) as owner:
        environment = {
            **os.environ,
            "PGHOST": owner.host,
            "PGPORT": str(owner.port),
            "PGDATABASE": owner.name,
            "PGUSER": owner.user,
            "PGPASSWORD": owner.password,
            **{f"PG{name.upper()}": value for name, value in owner.options if name.startswith("ssl")},
        }
        return subprocess.run([program, *args.rest], env=environment, check=False).returncode
