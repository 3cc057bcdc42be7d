"""`chadan doctor`."""

from __future__ import annotations

import argparse
import json


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds --json."""
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(args: argparse.Namespace) -> int:
    """Prints what was found, each with the way out. Returns 1 when something fails."""
    from chadan.ops.doctor import examine

    findings = list(examine())
    if args.json:
        print(json.dumps({"findings": [finding.as_dict() for finding in findings]}, ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            print(f"{finding.level:<4}  {finding.about}: {finding.text}")
            if finding.way_out:
                print(f"      → {finding.way_out}")
    failed = sum(finding.level == "fail" for finding in findings)
    if not args.json:
        print(f"{failed} of {len(findings)} checks failed." if failed else "This machine can run Chadan.")
    return 1 if failed else 0
