"""`chadan export`: orders into a file, without a worker."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from itertools import filterfalse
from pathlib import Path

from chadan.cli import set_django_up
from chadan.platform.config import get_config
from chadan.platform.errors import InvalidInput
from chadan.platform.postgres import database_running, show_progress

FORMATS = ("csv", "xlsx", "parquet")


def configure(parser: argparse.ArgumentParser) -> None:
    """Who exports what, and where to."""
    parser.add_argument("--as", dest="user", required=True, metavar="USER", help="whose orders: a user name")
    parser.add_argument("--query", default="", help="which orders, as typed into the search box; all by default")
    parser.add_argument("--view", choices=("sales", "agent", "purchases"), help="one side of a merchant's orders")
    parser.add_argument("--format", choices=FORMATS, help="default: the ending of FILE")
    parser.add_argument("--columns", default="", metavar="NAME,…", help="columns in this order; 'all' takes every one")
    parser.add_argument("--unmasked", action="store_true", help="accounts and buyers in clear, if the role may")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="the file to write")


def run(args: argparse.Namespace) -> int:
    """Writes the file; it appears whole or not at all."""
    kind = args.format or args.output.suffix.removeprefix(".")
    if kind not in FORMATS:
        raise InvalidInput("Say which format: --format csv, xlsx or parquet.")
    if not args.output.parent.is_dir():
        raise InvalidInput(f"There is no folder {args.output.parent}.")
    with database_running(get_config(), show_progress):
        set_django_up()
        return _export(args, kind)


def _export(args: argparse.Namespace, kind: str) -> int:
    from chadan.accounts.actors import find_actor
    from chadan.asking.answering import listed
    from chadan.asking.notes import is_remark
    from chadan.asking.understanding import understand
    from chadan.exports import runner, services
    from chadan.orders import number
    from chadan.search import readings
    from chadan.search.order_query import OrderQuery
    from chadan.search.problems import standing

    actor = find_actor(args.user)
    query = OrderQuery()
    if args.query.strip():
        parsed = understand(args.query, number.now(), actor.scope).parsed
        queries = [listed(one) for one in (parsed.query, *parsed.otherwise)]
        query, page = readings.find(actor.scope, queries, view=args.view, limit=1)
        if left := list(filterfalse(is_remark, standing(parsed.problems, found=bool(page.rows)))):
            raise InvalidInput(" ".join(problem.sentence for problem in left))
    every = [column.value for column in services.open_columns(actor, args.view or "")]
    columns = every if args.columns == "all" else [name.strip() for name in args.columns.split(",") if name.strip()]
    job = services.request_export(
        actor,
        query,
        format=kind,
        columns=columns,
        masked=not args.unmasked,
        view=args.view or "",
        defer=False,
        language=get_config().language,
    )
    bar = _Bar(sys.stderr.isatty())
    try:
        runner.run(job, bar.show)
    except KeyboardInterrupt:
        services.cancel_export(actor, job.pk)
        raise
    finally:
        bar.end()
    _, path = services.open_download(actor, job.pk)
    _deliver(path, args.output)
    services.drop_file(job)
    print(f"{job.rows_done:,} orders, {job.bytes:,} bytes, sha256 {job.sha256}: {args.output}", file=sys.stderr)
    if not job.rows_done:
        print("No order matched: the file holds the heading alone.", file=sys.stderr)
    return 0


def _deliver(source: Path, target: Path) -> None:
    """Puts the file in its place, readable by its owner only. Raises OSError naming the target."""
    beside = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, beside)
        beside.chmod(0o600)
        beside.replace(target)
    except OSError as error:  # copying names the file it read, whichever side failed
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        beside.unlink(missing_ok=True)


class _Bar:
    """A progress bar on a terminal, silence elsewhere."""

    def __init__(self, shown: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._shown = shown
        self._clock = clock
        self._drawn_at = 0.0

    def show(self, done: int, total: int) -> None:
        """Redraws at most ten times a second."""
        now = self._clock()
        if not self._shown or (now - self._drawn_at < 0.1 and done < total):
            return
        self._drawn_at = now
        part = min(1.0, done / total) if total else 1.0
        filled = int(part * 30)
        print(
            f"\r[{'#' * filled}{'.' * (30 - filled)}] {part:4.0%}  {done:,} / {total:,}",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        """Leaves the bar's line."""
        if self._drawn_at:
            print(file=sys.stderr)
