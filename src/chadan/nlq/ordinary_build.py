"""Rebuilds `data/ordinary.txt`: `python -m chadan.nlq.ordinary_build dict.txt > ordinary.txt`.

`dict.txt` is the dictionary of jieba 0.42.1 (MIT licence), lines of word, frequency and part of speech. Kept are the words of two characters that its
corpus has 300 times or more, and the longer ones inside which something sounds like a domain word: typo repair must not take a piece out of either.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.repair import SHORT, repairs, sounds

OFTEN = 300
KNOWN = 3
PER_LINE = 20


def build(lines: Iterable[str]) -> str:
    """The file's text."""
    index = repairs(Lexicon.seed())
    short = {sound for sound in index.by_sound if 2 <= len(sound) <= SHORT}

    def sounds_inside(word: str) -> bool:
        spans = {word[i : i + size] for size in (2, SHORT) for i in range(len(word) - size + 1)} - {word} - index.words
        return any(sound in short for span in spans for sound in sounds(span))

    twos, longer = [], []
    for line in lines:
        word, frequency, *_ = line.split()
        if not re.fullmatch("[\u4e00-\u9fff]{2,4}", word):
            continue
        if len(word) == 2 and int(frequency) >= OFTEN:
            twos.append(word)
        elif len(word) > 2 and int(frequency) >= KNOWN and sounds_inside(word):
            longer.append(word)
    words = sorted(twos) + sorted(longer)
    return "".join(" ".join(words[i : i + PER_LINE]) + "\n" for i in range(0, len(words), PER_LINE))


if __name__ == "__main__":
    sys.stdout.write(build(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()))
