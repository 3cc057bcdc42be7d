"""Spreadsheets, read in a process of their own whose memory and time are limited: a kilobyte can unfold to gigabytes.

Run as a module, this file is that process: `python -m chadan.integrations.spreadsheet FILE` writes one JSON array a row.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from chadan.platform.errors import InvalidInput

MEMORY = 1 << 30
SECONDS = 60
EXACT = 1 << 53
"""Whole numbers up to here survive in a spreadsheet's floating-point cells."""
INEXACT = "\x00inexact"


def spreadsheet_rows(path: Path) -> Iterator[tuple[int, list[str], str]]:
    """(line, values, problem) of the first sheet's rows. Raises InvalidInput for a file that is none, or a bomb."""
    source = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": source, "LC_ALL": "C.UTF-8"},
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    line, ended = 0, False
    try:
        for text in process.stdout:
            word = json.loads(text)
            if isinstance(word, dict):
                ended = True
                if word.get("error"):
                    raise InvalidInput(f"{path.name} is not a readable spreadsheet.", hint=str(word["error"]))
                break
            line += 1
            inexact = INEXACT in word
            yield line, word, "a long number lost its last digits in the spreadsheet" if inexact else ""
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    if not ended:
        raise InvalidInput(
            f"{path.name} needs more than {MEMORY >> 20} MB or {SECONDS} seconds to read; it may be made to do harm.",
            hint="Save the sheet as CSV and import that.",
        )


def cell_text(value: Any) -> str:
    """A cell as the CSV of the same table would have it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        if not value.is_integer():
            return repr(value)
        return str(int(value)) if abs(value) < EXACT else INEXACT
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, (date, timedelta)):
        return str(value)
    return str(value).strip()


def _child(path: str) -> int:
    """Reads under limits; a limit that is hit ends this process, and its silence tells."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
        for row in sheet.iter_rows():
            print(json.dumps([cell_text(value) for value in row]))
    except (CalamineError, OSError, IndexError, ValueError) as error:
        print(json.dumps({"error": " ".join(str(error).split())[:300]}))
        return 1
    print(json.dumps({"end": True}))
    return 0


if __name__ == "__main__":
    sys.exit(_child(sys.argv[1]))
