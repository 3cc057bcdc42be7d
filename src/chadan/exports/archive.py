"""A ZIP file written front to back whose long members can be continued after a crash.

Every call of `Archive.add` compresses its bytes by themselves and ends on a byte boundary (a full flush), so after each
call the archive is described by a small dictionary: cut the file at its offset, hand the dictionary back, go on.
The result does not depend on where it was interrupted.
"""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO, Self

from isal import isal_zlib

_LEVEL = 1
_MARK = 0xFFFFFFFF  # stands where the true size is in the ZIP64 field
_LARGE = _MARK
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_ZIP64 = 0x0001
# The Open Packaging "growth hint": padding that readers skip. It holds the place of a ZIP64 field until the member's
# size is known; a ZIP64 field in every small workbook would only puzzle old readers.
_GROWTH_HINT = struct.pack("<4H12x", 0xA220, 16, 0xA028, 0)
_UTF8_NAME = 0x0800
_DOS_DATE = (1 << 5) | 1  # 1980-01-01: the same rows give the same file


@dataclass(slots=True)
class Member:
    """One file inside the archive; sizes in bytes."""

    name: str
    offset: int
    crc: int = 0
    packed: int = 0
    size: int = 0


@dataclass(slots=True)
class ArchiveState:
    """Where the archive stands: everything needed to go on writing it."""

    offset: int = 0
    members: list[Member] = field(default_factory=list)
    open_member: bool = False

    def to_json(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The state that `to_json` wrote."""
        return cls(value["offset"], [Member(**member) for member in value["members"]], value["open_member"])


class Archive:
    """Writes members one after another to a seekable binary file, at most one open at a time."""

    def __init__(self, file: BinaryIO, state: ArchiveState | None = None) -> None:
        """Starts an archive, or goes on at `state`: whatever the file holds beyond it is cut off."""
        self._file = file
        self.state = state or ArchiveState()
        file.truncate(self.state.offset)
        file.seek(self.state.offset)

    def open(self, name: str) -> None:
        """Starts member `name`; `add` fills it, `close_member` ends it."""
        state = self.state
        state.members.append(Member(name, state.offset))
        state.open_member = True
        self._put(_local_header(state.members[-1], known=False))

    def add(self, data: bytes) -> None:
        """Appends `data` to the open member."""
        packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush(isal_zlib.Z_FULL_FLUSH)
        member = self.state.members[-1]
        member.crc = isal_zlib.crc32(data, member.crc)
        member.size += len(data)
        member.packed += len(packed)
        self._put(packed)

    def close_member(self) -> None:
        """Ends the open member and writes its sizes into its header."""
        member = self.state.members[-1]
        last = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15).flush(isal_zlib.Z_FINISH)
        member.packed += len(last)
        self._put(last)
        self._file.seek(member.offset)
        self._file.write(_local_header(member, known=True))
        self._file.seek(self.state.offset)
        self.state.open_member = False

    def store(self, name: str, data: bytes) -> None:
        """Writes a whole member."""
        self.open(name)
        self.add(data)
        self.close_member()

    def finish(self) -> None:
        """Writes the directory: the file is a complete archive afterwards."""
        start = self.state.offset
        directory = b"".join(map(_central_header, self.state.members))
        self._put(directory + _end(len(self.state.members), len(directory), start))

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self.state.offset += len(data)


def _local_header(member: Member, *, known: bool) -> bytes:
    name = member.name.encode()
    extra, packed, size = _GROWTH_HINT, member.packed, member.size
    if known and max(packed, size) >= _LARGE:
        extra, packed, size = struct.pack("<2H2Q", _ZIP64, 16, size, packed), _MARK, _MARK
    version = 45 if packed == _MARK else 20
    fields = (version, _UTF8_NAME, 8, 0, _DOS_DATE, member.crc, packed, size, len(name), len(extra))
    return _LOCAL.pack(b"PK\x03\x04", *fields) + name + extra


def _central_header(member: Member) -> bytes:
    name = member.name.encode()
    sizes = [member.size, member.packed, member.offset]
    large = [value for value in sizes if value >= _LARGE]
    extra = struct.pack(f"<2H{len(large)}Q", _ZIP64, 8 * len(large), *large) if large else b""
    size, packed, offset = (value if value < _LARGE else _MARK for value in sizes)
    version = 45 if large else 20
    fields = (version, version, _UTF8_NAME, 8, 0, _DOS_DATE, member.crc, packed, size, len(name), len(extra))
    return _CENTRAL.pack(b"PK\x01\x02", *fields, 0, 0, 0, 0, offset) + name + extra


def _end(count: int, size: int, start: int) -> bytes:
    head = b""
    if start + size >= _LARGE or count >= 0xFFFF:
        head = _END64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
        head += _LOCATOR.pack(b"PK\x06\x07", 0, start + size, 1)
    few, short, first = min(count, 0xFFFF), min(size, _MARK), min(start, _MARK)
    return head + _END.pack(b"PK\x05\x06", 0, 0, few, few, short, first, 0)
