"""The grammar's vocabulary: named pattern fragments in `data/*.pat`, composed into compiled patterns.

A line of a `.pat` file is `name: pattern`; `{name}` inserts another fragment of any file; `#` starts a comment line.
Indented lines continue the line above. Names are ASCII, so `{2,3}` stays a quantifier.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

_REFERENCE = re.compile(r"\{([a-z_]+)\}")


@cache
def data_text(name: str) -> str:
    """The text of one data file of this room."""
    return resources.files("chadan.nlq").joinpath("data", name).read_text(encoding="utf-8")


@cache
def data_json(name: str) -> Any:
    """A JSON data file of this room, read once; do not change what it returns."""
    return json.loads(data_text(name))


@cache
def _fragments() -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in resources.files("chadan.nlq").joinpath("data").iterdir():
        if not entry.name.endswith(".pat"):
            continue
        name = ""
        for line in entry.read_text(encoding="utf-8").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            if line[0].isspace():
                found[name] += line.strip()
                continue
            name, _, text = line.partition(":")
            if name in found:
                raise ValueError(f"the pattern {name!r} is there twice")
            found[name] = text.strip()
    return found


@cache
def fragment(name: str) -> str:
    """The fragment `name` with its references inserted, in a group of its own."""
    text = _fragments()[name]
    return "(?:" + _REFERENCE.sub(lambda match: fragment(match[1]), text) + ")"


@cache
def pattern(name: str) -> re.Pattern[str]:
    """The fragment `name`, compiled."""
    return re.compile(fragment(name))
