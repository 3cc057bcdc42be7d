"""Writes the table of mobile segments (catalog.regions): `python -m chadan.catalog.segments PATH`. A process of its own, because the data
it reads is large.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from chadan.catalog.regions import FIRST, LAST, code_of

_CHINA = "86"


def table_of(places: Mapping[str, str]) -> bytes:
    """A byte a segment, of descriptions by prefix ("861381234": "江苏省…"): the longest prefix says; of longer ones the most frequent."""
    table = bytearray(LAST - FIRST + 1)
    finer: dict[int, dict[int, int]] = {}
    for prefix in sorted(places, key=len):
        digits, code = prefix.removeprefix(_CHINA), code_of(places[prefix])
        if not digits.startswith("1") or len(digits) < 3 or not code:
            continue
        if len(digits) > 7:
            counted = finer.setdefault(int(digits[:7]), {})
            counted[code] = counted.get(code, 0) + 1
            continue
        spread = 10 ** (7 - len(digits))
        start = int(digits) * spread - FIRST
        if 0 <= start <= LAST - FIRST:
            table[start : start + spread] = bytes([code]) * spread
    for segment, counted in finer.items():
        if FIRST <= segment <= LAST:
            table[segment - FIRST] = max(counted, key=lambda code: counted[code])
    return bytes(table)


def main() -> None:
    """Writes beside the path and renames, so that nobody reads half a table."""
    from phonenumbers.geodata import GEOCODE_DATA

    path = Path(sys.argv[1])
    places = {
        prefix: said["zh"] for prefix, said in GEOCODE_DATA.items() if prefix.startswith(f"{_CHINA}1") and "zh" in said
    }
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(table_of(places))
    Path(file.name).replace(path)


if __name__ == "__main__":
    main()
