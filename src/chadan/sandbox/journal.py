"""A file of JSON lines that a part of the sandbox keeps its state in, so that a restart finds it again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any


class Journal:
    """The later line about a thing wins. Who writes holds a lock of its own; one sandbox has a folder (`Payments`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def read(self) -> list[dict[str, Any]]:
        """Every line so far, oldest first."""
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]

    def begin(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Shortens the file to these lines, and appends from now on. Only its owner may read it: it may hold keys."""
        short = self._path.with_suffix(".new")
        short.unlink(missing_ok=True)
        short.touch(mode=0o600)
        short.write_text("".join(map(_text, lines)), encoding="utf-8")
        short.replace(self._path)
        self._file = self._path.open("a", encoding="utf-8")

    def write(self, line: Mapping[str, Any]) -> None:
        """Appends a line; it outlives this process. After `shut`, nothing is kept."""
        if self._file is not None and not self._file.closed:
            self._file.write(_text(line))
            self._file.flush()

    def shut(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"
