"""The files of exports: `$CHADAN_DATA/exports/<id>.<format>`, mode 0600; `.part` and `.spool` while being written."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.utils.translation import gettext as _

from chadan.exports.errors import ExportFailed
from chadan.platform.config import get_config
from chadan.platform.errors import Conflict

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BLOCK = 1 << 20


def folder() -> Path:
    """The exports' folder, made on first use."""
    path = get_config().data / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def final_path(export_id: UUID, suffix: str) -> Path:
    """Where the finished file lies."""
    return folder() / f"{export_id}.{suffix}"


def part_path(export_id: UUID) -> Path:
    """Where the file grows."""
    return folder() / f"{export_id}.part"


def spool_path(export_id: UUID) -> Path:
    """Where Parquet's rows are collected."""
    return folder() / f"{export_id}.spool"


@contextmanager
def growing(path: Path) -> Iterator[BinaryIO]:
    """`path` open for reading and writing from its start, kept as it is, for this process alone.

    Raises Conflict when another process is writing it. The lock goes with the process, however it ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(_("This export is already being written.")) from error
        yield Whole(file)  # type: ignore[misc]


class Whole:
    """An unbuffered file whose `write` writes everything: nothing lingers in memory when the process is killed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.truncate = file.truncate
        self.fileno = file.fileno

    def write(self, data: bytes) -> int:
        """Writes all of `data`. Raises OSError when the disk is full."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        return len(data)


def sync(file: BinaryIO) -> None:
    """Brings what was written to the disk."""
    os.fdatasync(file.fileno())


def publish(part: Path, final: Path) -> None:
    """Gives the complete file its name; it is there whole or not at all."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(final)
    directory = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def digest(path: Path) -> str:
    """The file's SHA-256 in hex."""
    total = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def remove(export_id: UUID) -> None:
    """Removes every file of an export."""
    for path in folder().glob(f"{export_id}.*"):
        path.unlink(missing_ok=True)


def remove_all_but(owned: set[str]) -> None:
    """Removes day-old files of exports that are not in `owned` (their ids): leftovers of a crash."""
    yesterday = time.time() - 86_400
    for path in folder().iterdir():
        if path.name.partition(".")[0] not in owned and path.is_file() and path.stat().st_mtime < yesterday:
            path.unlink(missing_ok=True)


@contextmanager
def explained() -> Iterator[None]:
    """Turns a full disk into the sentence the user reads. Raises ExportFailed."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise ExportFailed(
                _("The disk is full: the export was stopped and its file removed."),
                hint=_("Free some space, then start the export again."),
            ) from error
        raise
