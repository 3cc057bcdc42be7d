"""Where the optional language model is: three settings, checked at the start. Off unless CHADAN_MODEL_URL is set."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from chadan.platform.errors import ConfigError

LOOPBACK_NAMES = {"localhost"}


@dataclass(frozen=True, slots=True)
class ModelSetting:
    """An OpenAI-compatible server: its base address (`…/v1`), the model's name, the file with its key, if it wants one."""

    url: str
    name: str
    key_file: Path | None

    @property
    def key(self) -> str:
        """The key; "" where none is needed. Raises ConfigError when the file cannot be read or holds none."""
        if self.key_file is None:
            return ""
        try:
            key = self.key_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeError) as error:
            raise ConfigError(f"Cannot read CHADAN_MODEL_KEY_FILE {self.key_file}.") from error
        if not key or not key.isprintable():
            raise ConfigError(f"CHADAN_MODEL_KEY_FILE {self.key_file} holds no key.")
        return key


def read_model(env: dict[str, str]) -> ModelSetting | None:
    """The setting, None where there is none. Raises ConfigError for a part without the rest, or one that is not safe."""
    url, name, key_file = (env.get(f"CHADAN_MODEL_{part}", "") for part in ("URL", "NAME", "KEY_FILE"))
    if not url:
        if name or key_file:
            raise ConfigError("CHADAN_MODEL_NAME and CHADAN_MODEL_KEY_FILE say nothing without CHADAN_MODEL_URL.")
        return None
    _check_url(url)
    if not name or len(name) > 200 or not name.isprintable():
        raise ConfigError("CHADAN_MODEL_NAME must name the model that CHADAN_MODEL_URL serves.")
    setting = ModelSetting(url.rstrip("/"), name, Path(key_file) if key_file else None)
    if setting.key_file is not None:
        _check_file(setting.key_file)
    _ = setting.key  # an empty or unreadable file is said now, not with the first question
    return setting


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError("CHADAN_MODEL_URL is no address.") from error
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError("CHADAN_MODEL_URL must look like https://models.example.com/v1.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            "CHADAN_MODEL_URL must not hold a password, a query or a fragment.", hint="Keys: CHADAN_MODEL_KEY_FILE."
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise ConfigError("CHADAN_MODEL_URL must be https: questions about orders do not cross a network in clear.")


def _check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"Cannot read CHADAN_MODEL_KEY_FILE {path}: {error.strerror}.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"Others can read CHADAN_MODEL_KEY_FILE {path}.", hint=f"Type: chmod 600 {path}")


def _is_loopback(host: str) -> bool:
    try:
        return host in LOOPBACK_NAMES or ip_address(host).is_loopback
    except ValueError:
        return False
