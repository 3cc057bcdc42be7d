"""The command line: `./chadan COMMAND …`.

A command is a module with `configure(parser: argparse.ArgumentParser) -> None` and `run(args: argparse.Namespace) -> int`,
registered by one line in COMMANDS; with `PASSES_REST = True` in the module, `args.rest` holds what its parser does not know. Only the chosen one is imported. `run` returns the exit code; a ChadanError it raises
becomes one line on stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import traceback
from types import ModuleType

from chadan.platform.errors import ChadanError

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("chadan.cli.demo", "a shop to look around in, from nothing to a running site"),
    "serve": ("chadan.cli.serve", "run the site: database, web, worker"),
    "migrate": ("chadan.cli.migrate", "bring the database to this version"),
    "seed": ("chadan.cli.seed", "fill a new database with made-up orders"),
    "import": ("chadan.cli.importing", "bring in the orders of another shop"),
    "find": ("chadan.cli.find", "find orders as the search box does"),
    "parse": ("chadan.cli.parse", "read questions in natural language as order queries, JSONL in and out"),
    "export": ("chadan.cli.export", "write orders into a CSV, Excel or Parquet file"),
    "mcp": ("chadan.cli.mcp", "let an assistant read orders: an MCP server on standard input and output"),
    "rotate-keys": ("chadan.cli.rotate_keys", "new keys for stored cards"),
    "bench": ("chadan.cli.bench", "measure this machine beside the floors"),
    "psql": ("chadan.cli.psql", "open psql on the database, as its owner"),
    "sandbox": ("chadan.cli.sandbox", "payment gateways and suppliers on this machine, to try things out"),
    "doctor": ("chadan.cli.doctor", "explain what is wrong on this machine"),
    "test": ("chadan.cli.run_tests", "lint, type-check and run the tests"),
}
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: list[str]) -> int:
    """Runs one command. Returns the exit code: 0, 1 for an error, 2 for wrong usage, 130 when interrupted."""
    debug = "--debug" in argv
    for stream in (sys.stdout, sys.stderr):
        if (stream.encoding or "").lower() != "utf-8":
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return dispatch(argv)
    except KeyboardInterrupt:
        if debug:
            traceback.print_exc()
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing more can be written when Python flushes at its end
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last place: everything becomes one line
        if debug:
            traceback.print_exc()
        print(f"chadan: {sentence(error)}", file=sys.stderr)
        return 1


def dispatch(argv: list[str]) -> int:
    """Imports and runs the command that `argv` names."""
    overview = argparse.ArgumentParser(prog="chadan", add_help=False, formatter_class=argparse.RawTextHelpFormatter)
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"{name:<{width}}  {text}" for name, (_, text) in sorted(COMMANDS.items()))
    overview.add_argument("--debug", action="store_true", help="show tracebacks")
    overview.add_argument("-h", "--help", action="store_true", help="show this help")
    overview.add_argument("command", nargs="?", metavar="COMMAND", help=listing)
    leading = argv[: next((i + 1 for i, word in enumerate(argv) if not word.startswith("-")), len(argv))]
    chosen = overview.parse_args(leading)
    if not chosen.command:
        overview.print_help(sys.stdout if chosen.help else sys.stderr)
        return 0 if chosen.help else 2
    if chosen.command not in COMMANDS:
        overview.error(f"there is no command {chosen.command!r}; chadan --help lists them")
    module_name, text = COMMANDS[chosen.command]
    module = load(module_name)
    parser = argparse.ArgumentParser(prog=f"chadan {chosen.command}", description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    module.configure(parser)
    rest = (["--help"] if chosen.help else []) + argv[len(leading) :]
    if getattr(module, "PASSES_REST", False):
        args, unknown = parser.parse_known_args(rest)
        args.rest = [word for word in unknown if word != "--"]
    else:
        args = parser.parse_args(rest)
    code = module.run(args)
    with contextlib.suppress(ValueError):
        sys.stdout.flush()
    return int(code)


def load(name: str) -> ModuleType:
    """The command's module, with Django's settings named for whoever sets Django up."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")
    return importlib.import_module(name)


def set_django_up() -> None:
    """Makes the ORM usable. A command speaks English whatever language the pages have (docs/reference/commands.md)."""
    import django
    from django.utils import translation

    django.setup()
    translation.activate("en")


def sentence(error: Exception) -> str:
    """The error in one line for people."""
    if isinstance(error, ChadanError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror}."
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}. Run the command again with --debug to see where."
