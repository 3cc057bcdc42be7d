"""Makes the project's .venv from hash-pinned requirements: `python -I bootstrap.py ROOT run|dev`.

Runs before anything is installed: standard library only, Python 3.11. Two at once are safe (a lock), and a .venv is whole
only once the copy of its requirements lies in it, which is written last.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path


class CannotInstall(Exception):
    """Why the environment could not be made, in a sentence."""


def installed(root: Path, which: str) -> bool:
    """Whether .venv holds exactly what requirements/<which>.txt asks for."""
    venv = root / ".venv"
    stamp = venv / f".chadan-{which}.txt"
    if not (venv / "bin" / "python").exists() or not stamp.exists():
        return False
    return stamp.read_bytes() == (root / "requirements" / f"{which}.txt").read_bytes()


def install(root: Path, which: str) -> None:
    """Brings .venv up to requirements/<which>.txt. Raises CannotInstall."""
    try:
        lock = (root / "requirements" / f"{which}.txt").open("rb")  # serves as the lock: no file is left behind
    except OSError as error:
        raise CannotInstall(f"Cannot read requirements/{which}.txt: {error.strerror}.") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed(root, which):  # by whoever held the lock before
            return
        venv = root / ".venv"
        whole = (venv / "bin" / "python").exists() and any(venv.glob(".chadan-*.txt"))
        if not whole:
            print("chadan: making .venv for first use; this takes a minute.", file=sys.stderr, flush=True)
            make(venv)
        fill(root, which)


def make(venv: Path) -> None:
    """An empty environment, in place of whatever half of one is there."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the launcher may be bypassed
        raise CannotInstall("Python 3.11 or newer is needed.")
    done = subprocess.run(
        [sys.executable, "-I", "-m", "venv", "--clear", str(venv)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip()
        if "ensurepip" in words or "No module named venv" in words:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise CannotInstall(
                f"Python's venv module is missing or incomplete (Debian, Ubuntu: apt-get install python{version}-venv)."
            )
        raise CannotInstall(f"Cannot make {venv}: {last_line(words)}")


def fill(root: Path, which: str) -> None:
    """Installs the requirements and stamps the environment."""
    venv, wanted = root / ".venv", root / "requirements" / f"{which}.txt"
    stamp = venv / f".chadan-{which}.txt"
    stamp.unlink(missing_ok=True)
    print(f"chadan: installing requirements/{which}.txt.", file=sys.stderr, flush=True)
    done = subprocess.run(
        [
            *(str(venv / "bin" / "python"), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-input", "--require-hashes", "--requirement", str(wanted)),
        ],
        stdout=sys.stderr.fileno(),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr, end="")
        raise CannotInstall(f"pip could not install {wanted} (see above); check the network or the package index.")
    half = stamp.with_suffix(".new")
    shutil.copyfile(wanted, half)
    half.replace(stamp)


def last_line(words: str) -> str:
    """The line that usually names the reason."""
    return words.splitlines()[-1] if words else "no reason given."


def main(arguments: list[str]) -> int:
    """Installs; one clear line on failure."""
    try:
        install(Path(arguments[0]), arguments[1])
    except CannotInstall as error:
        print(f"chadan: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"chadan: cannot make .venv: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
