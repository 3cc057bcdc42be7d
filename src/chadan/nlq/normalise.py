"""Normalisation (specification §2): one script, one width, one case; no control characters, no emoji."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Protocol

from chadan.nlq.patterns import data_json, data_text
from chadan.nlq.sheet import Sheet

MAX_READ = 1000
_DROPPED = frozenset({"So", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Sk"})
_KEPT = frozenset("^`")


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


def normalise(raw: str) -> Sheet:
    """The sheet of `raw`. Only the first 1000 characters are read; a note says so when there are more."""
    text: list[str] = []
    where: list[int] = []
    for index, character in enumerate(raw[:MAX_READ]):
        for plain in _plain(character):
            if plain == " " and (not text or text[-1] == " "):
                continue
            text.append(plain)
            where.append(index)
    while text and text[-1] == " ":
        text.pop()
        where.pop()
    joined = simplified("".join(text))
    sheet = Sheet(raw=raw, text=joined, where=[*where, min(len(raw), MAX_READ)])
    if len(raw) > MAX_READ:
        sheet.note("too_long", read=MAX_READ, given=len(raw))
    return sheet


def fold(word: str) -> str:
    """A word as normalised text has it: what aliases are compared by."""
    return simplified("".join(plain for character in word for plain in _plain(character))).strip()


@cache
def _plain(character: str) -> str:
    if "\u4e00" <= character <= "\u9fff" or (character.isascii() and character.isalnum()):
        return character.lower()
    out = ""
    for part in unicodedata.normalize("NFKC", character):
        category = unicodedata.category(part)
        if category in _DROPPED and part not in _KEPT:
            continue
        written = " " if category == "Cc" or category[0] == "Z" else part
        lowered = written.lower()
        out += lowered if len(lowered) == 1 else written
    return out


@cache
def common_characters() -> frozenset[str]:
    """The simplified characters in everyday use: text of these alone needs no conversion."""
    return frozenset(
        character for line in data_text("syllables.txt").splitlines() for character in line.partition(" ")[2]
    )


@cache
def _converter() -> _Converter:
    from opencc import OpenCC

    converter: _Converter = OpenCC("t2s")
    return converter


def simplified(text: str) -> str:
    """Traditional characters replaced one for one; OpenCC is loaded only when a character may need it."""
    common = common_characters()
    if all(character in common or not "\u3400" <= character <= "\u9fff" for character in text):
        return text
    converted = _converter().convert(text)
    if len(converted) != len(text):
        converted = "".join(_one(character) for character in text)
    for old, new in data_json("words.json")["wording"].items():
        converted = re.sub(old, new, converted)
    return converted


def _one(character: str) -> str:
    changed = _converter().convert(character)
    return changed if len(changed) == 1 else character
