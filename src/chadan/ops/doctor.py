"""Examines a machine: what Chadan needs, what is there, and the way out where something is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import psycopg

from chadan.platform.config import Config, load
from chadan.platform.errors import ChadanError, ConfigError

GIGABYTE = 1 << 30
LEDGER_DAYS = timedelta(days=2)
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    level: Literal["ok", "warn", "fail"]
    about: str
    text: str
    way_out: str = ""

    def as_dict(self) -> dict[str, str]:
        """The finding for JSON."""
        return {key: str(value) for key, value in asdict(self).items()}


def examine() -> Iterator[Finding]:
    """Every check in turn; later ones do not depend on the success of earlier ones. Starts no server."""
    yield python_version()
    yield environment()
    try:
        config = load(dict(os.environ))
    except ChadanError as error:
        yield Finding("fail", "settings", error.message, error.hint)
        return
    yield Finding("ok", "settings", f"understood; CHADAN_DATA is {config.data}")
    writable = data_folder(config)
    yield writable
    yield disk_space(config)
    if writable.level == "ok":
        yield keys(config)
    if config.external:
        yield from external_database(config)
    else:
        yield embedded_database(config)
    yield ledger(config)
    yield from event_log(config)
    yield port(config)
    yield from browser()


def python_version() -> Finding:
    """Python 3.11 or newer."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036 - the package may be run by any Python
        return Finding("fail", "python", f"{version} is too old", "Install Python 3.11 or newer with its venv module.")
    return Finding("ok", "python", version)


def environment() -> Finding:
    """A virtual environment with exactly the pinned packages."""
    from chadan.platform.bootstrap import installed

    root = Path(__file__).resolve().parents[3]
    if sys.prefix == sys.base_prefix:
        return Finding("warn", "packages", "not running in a virtual environment", "Start Chadan with ./chadan.")
    if (root / "requirements" / "run.txt").exists() and not installed(root, "run"):
        way_out = "Start Chadan with ./chadan, which brings .venv up to date."
        return Finding("warn", "packages", "not those of requirements/run.txt", way_out)
    return Finding("ok", "packages", f"in {sys.prefix}")


def data_folder(config: Config) -> Finding:
    """CHADAN_DATA can be written by this user, or made."""
    existing = next(folder for folder in (config.data, *config.data.parents) if folder.exists())
    way_out = "Give this user write permission on it, or point CHADAN_DATA elsewhere."
    try:
        with tempfile.NamedTemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Finding("fail", "data folder", f"cannot write in {existing}: {error.strerror}", way_out)
    return Finding("ok", "data folder", f"{config.data} can be written")


def disk_space(config: Config) -> Finding:
    """Room for the database and exports."""
    existing = next(folder for folder in (config.data, *config.data.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / GIGABYTE:.1f} GB free for {config.data}"
    if free < GIGABYTE // 2:
        return Finding("fail", "disk", text, "Free at least 1 GB: PostgreSQL stops when its disk is full.")
    if free < 5 * GIGABYTE:
        return Finding("warn", "disk", text, "A million orders take about 1 GB.")
    return Finding("ok", "disk", text)


def keys(config: Config) -> Finding:
    """The secret key and the key of keys are there, or can be made, and are private."""
    open_to_others: Path | None = None
    for path in (config.secret_key_file, config.kek_file):
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            return Finding("fail", "keys", f"cannot read {path}: {error.strerror}", "Let this user read it.")
        try:
            _ = config.secret_key if path == config.secret_key_file else config.kek
        except ConfigError as error:
            return Finding("fail", "keys", error.message, error.hint)
        if state.st_mode & 0o077:
            open_to_others = open_to_others or path
    if open_to_others:
        return Finding("warn", "keys", f"{open_to_others} can be read by others", f"chmod 600 {open_to_others}")
    return Finding("ok", "keys", "private, or made at the first start")


def external_database(config: Config) -> Iterator[Finding]:
    """The server of CHADAN_DATABASE_URL is there, new enough, and gives its user what migrations need."""
    from chadan.platform.migrate import connect
    from chadan.platform.postgres.external import check_external

    address = config.external
    if address is None:
        return
    try:
        version = check_external(address)
        yield Finding("ok", "database", f"PostgreSQL {version // 10000}.{version % 10000} at {address.host}")
        with connect(address) as connection:
            row = connection.execute(
                "select r.rolsuper, r.rolcreaterole, has_schema_privilege('public', 'create'),"
                " (select count(*) from pg_available_extensions where name in ('pg_trgm', 'intarray'))"
                " from pg_roles r where r.rolname = current_user"
            ).fetchone()
    except (ChadanError, psycopg.Error) as error:
        hint = error.hint if isinstance(error, ChadanError) else ""
        yield Finding("fail", "database", " ".join(str(error).removesuffix(hint).split()), hint)
        return
    superuser, may_create_roles, may_create_tables, extensions = row or (False, False, False, 0)
    if extensions != 2:
        yield Finding("fail", "database", "pg_trgm or intarray is missing", "Install PostgreSQL's contrib modules.")
    if not (superuser or may_create_roles):
        way_out = f'Let an administrator run: alter role "{address.user}" createrole;'
        yield Finding("fail", "database", f"{address.user} may not create roles", way_out)
    if not may_create_tables:
        way_out = f'Let an administrator run: alter database "{address.name}" owner to "{address.user}";'
        yield Finding("fail", "database", f"{address.user} may not create tables", way_out)
    if superuser:
        way_out = "Make an ordinary role with createrole the database's owner and use that."
        yield Finding("warn", "database", f"{address.user} is a superuser, more than Chadan needs", way_out)


def event_log(config: Config) -> Iterator[Finding]:
    """Events get their positions; says nothing while no server runs or nothing was migrated yet."""
    from chadan.eventlog.health import LATE, SECONDS_BEHIND
    from chadan.platform.migrate import connect
    from chadan.platform.postgres import owner_address

    try:
        with connect(owner_address(config)) as connection:
            row = connection.execute(SECONDS_BEHIND).fetchone()
    except (ChadanError, psycopg.Error):
        return
    seconds = float(str(row[0])) if row else 0.0
    if seconds > LATE:
        text = f"an event has waited {seconds:.0f} s for its position"
        yield Finding("warn", "event log", text, "Start the site: its process python -m chadan.eventlog does this.")
    else:
        yield Finding("ok", "event log", "every event has its position, but for imports")


def embedded_database(config: Config) -> Finding:
    """The embedded server's binaries run here, as a user PostgreSQL accepts, and understand the data that is there."""
    from chadan.platform.postgres.identity import resolve
    from chadan.platform.postgres.layout import control_folder, refuse_other_major, wheel_folder

    try:
        identity, layout = resolve(control_folder(config), copy=False)
        # Even root may ask for the version; the copy another user would run is not made just to look.
        version = replace(identity, mode="same", wheel=wheel_folder()).version()
        refuse_other_major(layout, version.split(".", 1)[0])
    except ChadanError as error:
        return Finding("fail", "database", error.message, error.hint)
    how = {
        "same": "as this user",
        "namespace": f"in a user namespace, as uid {identity.uid}",
        "user": f"as uid {identity.uid}, its data in {layout.home}",
    }[identity.mode]
    state = "with data" if layout.data.exists() else "its data is made at the first start"
    return Finding("ok", "database", f"embedded PostgreSQL {version} runs {how}; {state}")


def ledger(config: Config) -> Finding:
    """The books of the last two days, if the database answers; it is not started for this."""
    if not config.secret_key_file.exists():
        return Finding("ok", "ledger", "nothing to look at before the first start")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")
    import django
    from django.db import Error

    try:
        django.setup()
        from chadan.money.checks import check
        from chadan.orders.number import now
        from chadan.platform.scope import OPERATOR, scoped

        with scoped(OPERATOR) as session:
            found = check(session, now() - LEDGER_DAYS)
    except (Error, psycopg.Error, ChadanError):
        return Finding("ok", "ledger", "not looked at: the database is not running, or has no ledger yet")
    if found:
        way_out = "Open the posting or order it names; docs/explanation/money.md says what the books must look like."
        return Finding("fail", "ledger", " ".join(found), way_out)
    return Finding("ok", "ledger", f"adds up over the last {LEDGER_DAYS.days} days")


def port(config: Config) -> Finding:
    """The listen address can be bound."""
    from chadan.ops.serve import answers, local_url, refuse_taken_port

    try:
        refuse_taken_port(config)
    except ConfigError as error:
        if answers(local_url(config)):
            return Finding("ok", "port", f"Chadan answers at {local_url(config)}")
        return Finding("fail", "port", error.message, error.hint)
    return Finding("ok", "port", f"{config.listen_host}:{config.listen_port} is free")


def chromium() -> str | None:
    """The Chromium of the browser tests: CHADAN_CHROMIUM, or the first found on PATH."""
    named = os.environ.get("CHADAN_CHROMIUM")
    if named:
        return shutil.which(named)
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def cjk_fonts() -> bool:
    """Whether fontconfig knows a font with Chinese characters."""
    if not shutil.which("fc-list"):
        return False
    done = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False)
    return bool(done.stdout.strip())


def browser() -> Iterator[Finding]:
    """What only the browser tests need."""
    found = chromium()
    install = "Only the browser tests need it; Debian: apt-get install -y chromium fonts-noto-cjk"
    if not found:
        yield Finding("warn", "chromium", "not found", install)
    else:
        yield Finding("ok", "chromium", found)
        if not cjk_fonts():
            yield Finding("warn", "fonts", "no font with Chinese characters; screenshots show boxes", install)
