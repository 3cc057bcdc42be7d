"""`./chadan import FORMAT PATH --as USER`: orders of another shop, with a report row by row."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from chadan.cli import set_django_up


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("format", metavar="FORMAT", help="the kind of shop, such as acg-faka")
    parser.add_argument("path", metavar="PATH", type=Path, help="the folder with its tables")
    parser.add_argument(
        "--as", dest="user", required=True, metavar="USER", help="who imports: an operator or a merchant"
    )
    parser.add_argument("--source-merchant", metavar="ID", help="take the rows of this merchant of the source only")
    parser.add_argument("--source", default="", metavar="NAME", help="tells two shops of the same kind apart")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen, write nothing")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")


def run(args: argparse.Namespace) -> int:
    """Imports and reports; rejected rows go to stderr, one a line."""
    from chadan.platform.config import get_config
    from chadan.platform.migrate import migrate
    from chadan.platform.postgres import database_running, show_progress

    with database_running(get_config(), show_progress) as owner:
        set_django_up()
        migrate(owner)
        from chadan.accounts.actors import find_actor
        from chadan.cli.bar import Bar
        from chadan.integrations.importing import Wish, run_import
        from chadan.integrations.registry import importer_named

        wish = Wish(
            importer=importer_named(args.format),
            path=args.path,
            source_merchant=args.source_merchant,
            shop=args.source,
            dry_run=args.dry_run,
        )
        with Bar("orders read") as bar:
            report = run_import(find_actor(args.user), wish, bar.show)
        from django.db import connections

        connections.close_all()
    for row in report.rejections:
        print(f"line {row.line}, order {row.number or '?'}: {row.reason}", file=sys.stderr)
    counts = report.as_json()
    if args.json:
        print(json.dumps(counts))
    else:
        verb = "would be added" if args.dry_run else "added"
        print(
            f"{counts['read']} read, {counts['added']} {verb}, {counts['duplicate']} already there,"
            f" {counts['rejected']} rejected"
        )
    return 0
