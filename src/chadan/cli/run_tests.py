"""`chadan test`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from chadan.ops.doctor import chromium
from chadan.platform.errors import ConfigError

PASSES_REST = True
ROOT = Path(__file__).resolve().parents[3]
APT = ("apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-noto-cjk")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the tiers that do not run by default; everything else goes to pytest."""
    parser.add_argument("--fault", action="store_true", help="also the long fault tests")
    parser.add_argument("--long", action="store_true", help="also the other tests that take minutes")
    parser.add_argument("--no-lint", action="store_true", help="leave out ruff and mypy")
    parser.epilog = "Every other argument goes to pytest; then only pytest runs."


def run(args: argparse.Namespace) -> int:
    """Runs every tier; pytest's summary is the last line. Returns non-zero when anything failed."""
    if not (ROOT / "requirements" / "dev.txt").exists() or not (ROOT / "tests").is_dir():
        raise ConfigError("The tests are not part of an installed package.", hint="Run ./chadan test in a source tree.")
    install_packages()
    with tempfile.TemporaryDirectory(prefix="chadan-test-") as data:
        environment = clean_environment(Path(data))
        browser = find_or_install_chromium()
        if browser:
            environment["CHADAN_CHROMIUM"] = browser
        failed = [] if args.no_lint or args.rest else lint(environment)
        if failed:  # said here, so that pytest's summary stays the last line
            print(f"chadan: {', '.join(failed)} failed, see above.", file=sys.stderr, flush=True)
        code = step(["-m", "pytest", "-m", marks(fault=args.fault, long=args.long), *args.rest], environment)
    return code or (1 if failed else 0)


def marks(*, fault: bool, long: bool) -> str:
    """Pytest's marker expression: short tests always, long ones as asked."""
    if fault and long:
        return "long or not long"
    if fault:
        return "fault or not long"
    return "not (fault and long)" if long else "not long"


def install_packages() -> None:
    """Brings .venv up to requirements/dev.txt. Raises ConfigError."""
    from chadan.platform.bootstrap import CannotInstall, install

    try:
        install(ROOT, "dev")
    except CannotInstall as error:
        raise ConfigError(str(error)) from error


def clean_environment(data: Path) -> dict[str, str]:
    """The environment of linters and tests: none of this machine's Chadan settings, data in a folder thrown away."""
    ours = ("CHADAN_", "DJANGO_")  # the command line names Django's settings; the tests choose their own moment
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return environment | {"CHADAN_DATA": str(data), "PYTHONPATH": str(ROOT / "src")}


def lint(environment: dict[str, str]) -> list[str]:
    """Runs the linters and the type checker. Returns the names of those that failed."""
    checks = {
        "ruff check": ["-m", "ruff", "check", "--quiet"],
        "ruff format": ["-m", "ruff", "format", "--check", "--quiet"],
        "mypy": ["-m", "mypy", "--no-error-summary"],
    }
    failed = []
    for name, command in checks.items():
        print(f"chadan: {name}", flush=True)
        if step(command, environment) != 0:
            failed.append(name)
    return failed


def step(command: list[str], environment: dict[str, str]) -> int:
    """Runs a Python module in the project's folder. Returns its exit code."""
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=False).returncode


def find_or_install_chromium() -> str | None:
    """Chromium's path; installed where that is possible and agreed to, else None and the line to type."""
    found = chromium()
    if found:
        return found
    if os.environ.get("CHADAN_CHROMIUM"):
        raise ConfigError(f"CHADAN_CHROMIUM names {os.environ['CHADAN_CHROMIUM']!r}, which cannot be run.")
    line = f"apt-get update && {' '.join(APT)}"
    if shutil.which("apt-get") and os.geteuid() == 0 and agreed(line):
        print("chadan: installing Chromium for the browser tests", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (("apt-get", "update"), APT):
            if subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False).returncode != 0:
                break
        found = chromium()
    if not found:
        sudo = "" if os.geteuid() == 0 else "sudo "
        print(f"chadan: no Chromium, so the browser tests are skipped. To run them: {sudo}sh -c '{line}'", flush=True)
    return found


def agreed(line: str) -> bool:
    """Whether packages may be installed: in CI always, at a terminal on consent."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return input(f"The browser tests need Chromium. Run “{line}” now? [y/N] ").strip().lower() in ("y", "yes")
