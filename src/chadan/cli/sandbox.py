"""`chadan sandbox`."""

from __future__ import annotations

import argparse
import signal
import threading

from chadan.platform.config import get_config
from chadan.platform.errors import ConfigError

PORT = 8090


def configure(parser: argparse.ArgumentParser) -> None:
    """Where it listens; the address is always 127.0.0.1."""
    parser.add_argument("--port", type=int, default=PORT, help=f"port on 127.0.0.1 (default {PORT}, 0: a free one)")


def run(args: argparse.Namespace) -> int:
    """Runs the sandbox until it is told to stop."""
    from chadan.sandbox.server import SandboxServer

    if not 0 <= args.port < 65536:
        raise ConfigError("The port must be a number from 0 to 65535.")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = SandboxServer(get_config().data / "sandbox", args.port)
    except BlockingIOError as error:
        raise ConfigError("Another sandbox uses this CHADAN_DATA.", hint="Stop it first.") from error
    except OSError as error:
        raise ConfigError(f"Cannot listen on 127.0.0.1:{args.port}: {error.strerror}.", hint="Try --port 0.") from error
    with server:
        print(f"The sandbox is at {server.url} (Ctrl-C stops it).")
        for part in server.parts:
            print(f"  {server.url}/{part}/")
        print(f"Control: {server.url}/_control/  (channel settings: {server.url}/_control/channels)", flush=True)
        stop.wait()
    return 0
