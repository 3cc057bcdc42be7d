"""Becomes another program, tied to the life of the process that started it: `python -I -S launch.py PARENT SIGNAL AS -- PROGRAM …`.

Stands alone (imports nothing of Chadan) and is run as a script between fork and exec, because the parent-death signal must be
set after the last change of credentials: the kernel forgets it at every such change.

`PARENT` is the pid of the process that must not be outlived, `SIGNAL` the number the program gets when it dies. `AS` is
`same` (no change), `user:UID:GID` (drop to that user) or `namespace:UID:GID` (own user namespace in which the current user
is called UID; nothing changes on disk). Exit code 126: the change of user was refused; 127: the program cannot be run.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
REFUSED = 126
NOT_RUN = 127


def enter_namespace(uid: int, gid: int) -> None:
    """Moves this process into its own user namespace, where it is `uid`:`gid`. Raises OSError where that is denied."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    for name, text in (
        ("setgroups", "deny"),
        ("gid_map", f"{gid} {outer_gid} 1"),
        ("uid_map", f"{uid} {outer_uid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - starts fast without pathlib
            file.write(text)


def drop_to(uid: int, gid: int) -> None:
    """Becomes `uid`:`gid` for good, with no other group."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def main(arguments: list[str]) -> int:
    """Changes user, sets the parent-death signal, replaces this process. Returns only when that failed."""
    parent, death_signal, who = int(arguments[0]), int(arguments[1]), arguments[2]
    program = arguments[4:]
    try:
        kind, *ids = who.split(":")
        if kind == "namespace":
            enter_namespace(int(ids[0]), int(ids[1]))
        elif kind == "user":
            drop_to(int(ids[0]), int(ids[1]))
    except OSError as error:
        print(f"cannot change user: {error.strerror}", file=sys.stderr)
        return REFUSED
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        print("cannot set the parent-death signal", file=sys.stderr)
        return REFUSED
    if os.getppid() != parent:  # it died before the signal was set
        return REFUSED
    try:
        os.execv(program[0], program)  # noqa: S606 - becoming the program is the point
    except OSError as error:
        print(f"cannot run {program[0]}: {error.strerror}", file=sys.stderr)
        return NOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
