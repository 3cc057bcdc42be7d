"""`chadan mcp`: the orders an API key may read, for an assistant that speaks the Model Context Protocol."""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

from chadan.cli import set_django_up
from chadan.platform.config import get_config
from chadan.platform.errors import ConfigError
from chadan.platform.postgres import database_running, show_progress

ROOT = Path(__file__).resolve().parents[3]
MOST_KEY_BYTES = 4096


def configure(parser: argparse.ArgumentParser) -> None:
    """Where the key is."""
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="file with the API key; default: CHADAN_API_KEY")
    parser.add_argument("--install", action="store_true", help="install what the server needs, and do nothing else")


def run(args: argparse.Namespace) -> int:
    """Serves until the client hangs up."""
    config = get_config()
    if args.install:
        install()
        return 0
    if find_spec("mcp") is None:
        raise ConfigError("The MCP server's library is not installed.", hint="Install it: ./chadan mcp --install")
    secret = read_key(args.key_file)
    with database_running(config, show_progress):
        set_django_up()
        from chadan.mcp_server import server, stdio

        server.prove(
            f"Bearer {secret}", stdio.HERE
        )  # a wrong key is said at once, on the terminal or in the client's log
        stdio.serve(secret)
    return 0


def install() -> None:
    """Brings .venv up to requirements/mcp.txt. Raises ConfigError."""
    from chadan.platform.bootstrap import CannotInstall
    from chadan.platform.bootstrap import install as bring_up

    if not (ROOT / "requirements" / "mcp.txt").exists():
        raise ConfigError("Chadan was installed as a package.", hint='Install its extra with pip: "chadan[mcp]".')
    try:
        bring_up(ROOT, "mcp")
    except CannotInstall as error:
        raise ConfigError(str(error)) from error


def read_key(path: Path | None) -> str:
    """The key in the file, or in CHADAN_API_KEY, which child processes do not inherit. Raises ConfigError."""
    given = os.environ.pop("CHADAN_API_KEY", "")
    if path is not None:
        try:
            with path.open("rb") as file:
                found = file.read(MOST_KEY_BYTES)
            if path.stat().st_mode & 0o077:
                raise ConfigError(f"Others can read {path}.", hint=f"Type: chmod 600 {path}")
        except OSError as error:
            raise ConfigError(f"Cannot read {path}: {error.strerror}.") from error
        given = found.decode("ascii", "replace")
    if not given.strip():
        raise ConfigError("No API key was given.", hint="Use --key-file FILE, or set CHADAN_API_KEY.")
    return given.strip()
