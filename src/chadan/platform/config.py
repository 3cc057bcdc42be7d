"""Chadan's settings: environment variables, read once, checked, documented in docs/reference/settings.md."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from chadan.platform.errors import ConfigError
from chadan.platform.model_setting import ModelSetting, read_model

KNOWN = {
    "CHADAN_DATA": "Folder for the database, secrets and exports. Default ./var",
    "CHADAN_DATABASE_URL": "PostgreSQL 15 or newer, as its owner: postgresql://user:password@host:port/name. Default: embedded",
    "CHADAN_LISTEN": "Address and port of the web process. Default 127.0.0.1:8000",
    "CHADAN_LIVE_LISTEN": "Address and port of the live process. Default: CHADAN_LISTEN's address, the next port",
    "CHADAN_SECRET_KEY_FILE": "File with the secret key (32 bytes or more). Default $CHADAN_DATA/secrets/secret_key, made on first start",
    "CHADAN_KEK_FILE": "File with the 32-byte key that wraps card keys. Default $CHADAN_DATA/secrets/kek, made on first start",
    "CHADAN_HOSTS": "Host names the site answers to, separated by commas. Default: loopback names and CHADAN_LISTEN's",
    "CHADAN_ORIGIN": "Public origin such as https://orders.example.com. Sets secure cookies when https",
    "CHADAN_LANGUAGE": "zh-hans or en: the language of visitors who have not chosen. Default zh-hans",
    "CHADAN_LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR. Default INFO",
    "CHADAN_EMAIL_URL": "smtp://user:password@host:port or smtps://…; default: mails are written to $CHADAN_DATA/mail",
    "CHADAN_WEB_WORKERS": "Web processes. Default: one per core",
    "CHADAN_EXPORT_ROWS": "Most rows one export may hold, per role: owner=5000000,support=50000,buyer=10000. Default see settings.md",
    "CHADAN_EXPORT_DAYS": "Days an export file is kept. Default 7",
    "CHADAN_JOB_DAYS": "Days a finished job is kept. Default 7",
    "CHADAN_FAILED_JOB_DAYS": "Days a failed job is kept. Default 30",
    "CHADAN_CALLBACK_DAYS": "Days the raw callbacks of gateways and suppliers are kept. Default 180",
    "CHADAN_PLATFORM_FEE": "The platform's share of every completed order, in 1/10,000. Default 0",
    "CHADAN_ESCROW_HOURS": "Hours the buyer's money is held after delivery. Default 24",
    "CHADAN_API_KEY": "API key of ./chadan mcp, when no --key-file is given. Not used by the site",
    "CHADAN_MODEL_URL": "OpenAI-compatible server that helps to read questions: https://host/v1, http:// only on loopback. Default: none",
    "CHADAN_MODEL_NAME": "The model's name there",
    "CHADAN_MODEL_KEY_FILE": "File with the key for it, which others cannot read. Default: no key is sent",
    "CHADAN_CHROMIUM": "Chromium for the browser tests. Default: found on PATH",
    "CHADAN_SANDBOX": "1 lets payment channels and suppliers use this machine's loopback addresses. Refused unless CHADAN_LISTEN is one",
    "CHADAN_DEBUG": "1 shows tracebacks in pages. Refused unless CHADAN_LISTEN is a loopback address",
}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
EXPORT_ROWS = {
    "owner": 10_000_000,
    "operator": 1_000_000,
    "finance": 10_000_000,
    "support": 50_000,
    "agent": 1_000_000,
    "buyer": 100_000,
    "platform": 20_000_000,
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is: what psycopg's `connect` takes."""

    host: str
    port: int
    name: str
    user: str
    password: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, checked."""

    data: Path
    external: Address | None
    listen_host: str
    listen_port: int
    live_host: str
    live_port: int
    hosts: tuple[str, ...]
    origin: str
    language: str
    log_level: str
    email_url: str
    web_workers: int
    export_rows: dict[str, int]
    export_days: int
    job_days: int
    failed_job_days: int
    callback_days: int
    sandbox: bool
    platform_fee: int
    escrow_hours: int
    debug: bool
    secret_key_file: Path
    kek_file: Path
    model: ModelSetting | None

    @property
    def secret_key(self) -> str:
        """The secret key, made on first use. Raises ConfigError when the file is too short."""
        key = read_or_make(self.secret_key_file, lambda: secrets.token_urlsafe(48).encode()).decode().strip()
        if len(key) < 32:
            raise ConfigError(f"The secret key in {self.secret_key_file} is shorter than 32 characters.")
        return key

    @property
    def kek(self) -> bytes:
        """The 32-byte key-encryption key, made on first use."""
        key = read_or_make(self.kek_file, lambda: secrets.token_bytes(32))
        if len(key) != 32:
            raise ConfigError(f"The key in {self.kek_file} must be exactly 32 bytes.")
        return key


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's bytes; made with mode 0600 in a 0700 folder if it does not exist. Raises ConfigError on failure."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            temporary.touch(mode=0o600)
            temporary.write_bytes(make())
            try:
                os.link(temporary, path)  # two first starts at once: the first one's key wins
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"Cannot read or write {path}: {error.strerror}.",
            hint="Give the user that runs Chadan write permission on CHADAN_DATA, or point CHADAN_DATA elsewhere.",
        ) from error


def parse_database_url(url: str) -> Address:
    """`postgresql://user:password@host:port/name?option=value` as an Address. Raises ConfigError."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ConfigError("CHADAN_DATABASE_URL must start with postgresql://.")
    query = dict(parse_qsl(parts.query))
    try:
        port = parts.port or int(query.pop("port", 5432))
    except ValueError as error:
        raise ConfigError("CHADAN_DATABASE_URL has a port that is not a number.") from error
    name = parts.path.lstrip("/")
    host = query.pop("host", "") or unquote(parts.hostname or "127.0.0.1")
    if not name or not parts.username:
        raise ConfigError("CHADAN_DATABASE_URL must name a user and a database.")
    return Address(
        host, port, unquote(name), unquote(parts.username), unquote(parts.password or ""), tuple(query.items())
    )


def load(env: dict[str, str]) -> Config:
    """Reads settings from `env`. Raises ConfigError for an unknown, malformed or unsafe value."""
    for name in env:
        if name.startswith("CHADAN_") and name not in KNOWN:
            raise ConfigError(f"Unknown setting {name}.", hint="docs/reference/settings.md lists every setting.")
    data = Path(env.get("CHADAN_DATA") or "var").resolve()
    host, port = _address(env, "CHADAN_LISTEN", "127.0.0.1:8000")
    beside = port + 1 if port < 65535 else port - 1
    live_host, live_port = _address(
        env, "CHADAN_LIVE_LISTEN", f"[{host}]:{beside}" if ":" in host else f"{host}:{beside}"
    )
    if (live_host, live_port) == (host, port):
        raise ConfigError("CHADAN_LIVE_LISTEN must differ from CHADAN_LISTEN.")
    debug = _flag(env, "CHADAN_DEBUG")
    if debug and host not in LOOPBACK:
        raise ConfigError("CHADAN_DEBUG=1 is only allowed on a loopback address: it shows internals to visitors.")
    sandbox = _flag(env, "CHADAN_SANDBOX")
    if sandbox and host not in LOOPBACK:
        raise ConfigError(
            "CHADAN_SANDBOX=1 is only allowed on a loopback address: the payments of a sandbox are not real."
        )
    origin = env.get("CHADAN_ORIGIN", "").rstrip("/")
    if origin and urlsplit(origin).scheme not in ("http", "https"):
        raise ConfigError("CHADAN_ORIGIN must start with https:// or http://.")
    language = env.get("CHADAN_LANGUAGE", "zh-hans").lower()
    if language not in ("zh-hans", "en"):
        raise ConfigError("CHADAN_LANGUAGE must be zh-hans or en.")
    log_level = env.get("CHADAN_LOG_LEVEL", "INFO").upper()
    if log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ConfigError("CHADAN_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")
    hosts = tuple(name.strip() for name in env.get("CHADAN_HOSTS", "").split(",") if name.strip())
    if origin:
        hosts += (urlsplit(origin).hostname or "",)
    url = env.get("CHADAN_DATABASE_URL", "")
    return Config(
        data=data,
        external=parse_database_url(url) if url else None,
        listen_host=host,
        listen_port=port,
        live_host=live_host,
        live_port=live_port,
        hosts=(*hosts, host, *sorted(LOOPBACK), "[::1]"),
        origin=origin,
        language=language,
        log_level=log_level,
        email_url=env.get("CHADAN_EMAIL_URL", ""),
        web_workers=_number(env, "CHADAN_WEB_WORKERS", os.cpu_count() or 1, 1, 256),
        export_rows=_export_rows(env.get("CHADAN_EXPORT_ROWS", "")),
        export_days=_number(env, "CHADAN_EXPORT_DAYS", 7, 1, 3650),
        job_days=_number(env, "CHADAN_JOB_DAYS", 7, 1, 3650),
        failed_job_days=_number(env, "CHADAN_FAILED_JOB_DAYS", 30, 1, 3650),
        callback_days=_number(env, "CHADAN_CALLBACK_DAYS", 180, 7, 3650),
        sandbox=sandbox,
        platform_fee=_number(env, "CHADAN_PLATFORM_FEE", 0, 0, 10_000),
        escrow_hours=_number(env, "CHADAN_ESCROW_HOURS", 24, 0, 8760),
        debug=debug,
        secret_key_file=Path(env.get("CHADAN_SECRET_KEY_FILE") or data / "secrets" / "secret_key"),
        kek_file=Path(env.get("CHADAN_KEK_FILE") or data / "secrets" / "kek"),
        model=read_model(env),
    )


def _address(env: dict[str, str], name: str, default: str) -> tuple[str, int]:
    listen = env.get(name) or default
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"{name} must look like {default}, not {listen!r}.")
    return host.strip("[]"), int(port)


def _flag(env: dict[str, str], name: str) -> bool:
    value = env.get(name, "0")
    if value not in ("0", "1", ""):
        raise ConfigError(f"{name} must be 0 or 1.")
    return value == "1"


def _number(env: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    value = env.get(name) or str(default)
    if not value.isdigit() or not low <= int(value) <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}.")
    return int(value)


def _export_rows(text: str) -> dict[str, int]:
    limits = dict(EXPORT_ROWS)
    for part in filter(None, text.split(",")):
        role, _, rows = part.partition("=")
        if role.strip() not in limits or not rows.strip().isdigit():
            raise ConfigError("CHADAN_EXPORT_ROWS must look like owner=5000000,support=50000.")
        limits[role.strip()] = int(rows)
    return limits


@cache
def get_config() -> Config:
    """This process's settings."""
    return load(dict(os.environ))
