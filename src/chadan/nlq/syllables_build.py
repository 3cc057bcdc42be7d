"""Rebuilds `data/syllables.txt`: `python -m chadan.nlq.syllables_build > syllables.txt`.

One line per toneless syllable with the everyday characters (GB 2312) that are read so first of all, without those that are traditional forms. Typo repair compares
by these, so that pypinyin need not be loaded to read a query.
"""

from __future__ import annotations

import sys
from collections import defaultdict


def build() -> str:
    """The file's text."""
    from opencc import OpenCC
    from pypinyin import Style, pinyin

    convert = OpenCC("t2s").convert

    lines: dict[str, str] = defaultdict(str)
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                character = bytes([high, low]).decode("gb2312")
            except UnicodeDecodeError:
                continue
            if convert(character) != character:
                continue
            lines[pinyin(character, style=Style.NORMAL)[0][0]] += character
    return "".join(f"{syllable} {characters}\n" for syllable, characters in sorted(lines.items()))


if __name__ == "__main__":
    sys.stdout.write(build())
