"""Numbers pasted without a key: order numbers, payment numbers, phones, tails, dates."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chadan.orders import number
from chadan.platform.errors import InvalidQuery
from chadan.search.grammar_values import time_range
from chadan.search.grammar_words import KEYS

_GAP = r"[ \t\u00a0\u3000-]?"
_RUN = re.compile(rf"(?<![0-9A-Za-z])(?:[0-9]{_GAP}){{18}}[0-9](?![0-9A-Za-z])")
_PHONE = re.compile(
    r"(?<![0-9A-Za-z*])(?:(?:\+|00)?86[ -]?)?(1[3-9][0-9])[ -]?([0-9]{4})[ -]?([0-9]{4})(?![0-9A-Za-z*])"
)
_MASKED = re.compile(r"(?<![0-9A-Za-z*])([0-9]{2,7})\*{2,}([0-9]{2,7})(?![0-9A-Za-z*])")
_EMAIL = re.compile(r"[^\s@,，、]+@[^\s@,，、]+\.[A-Za-z]{2,24}")
_IS = r"(?:号|是|为|:|：|=|#|\s)*"
_CUES = {
    "order_no": tuple(alias for alias in KEYS["no"] if not alias.isascii() and alias != "订单"),
    "external_no": tuple(alias for alias in KEYS["ext"] if not alias.isascii()),
    "account": tuple(alias for alias in KEYS["account"] if not alias.isascii()),
}
_CUE_OF = {alias: name for name, aliases in _CUES.items() for alias in aliases}
_CUE_WORDS = "|".join(sorted(_CUE_OF, key=len, reverse=True))
_CUED = re.compile(rf"(?:{_CUE_WORDS}){_IS}(?P<value>[A-Za-z0-9][A-Za-z0-9_@.+-]{{3,}})")
_TAIL = re.compile(
    rf"(?:(?P<subject>{_CUE_WORDS})的?)?(?:尾号|末尾|尾数|末四位|后[四4]位){_IS}(?P<digits>[0-9]{{2,}})(?:的|$|(?=\s))"
)
_HEAD = re.compile(r"(?<![0-9])([0-9]{2,10})(?:开头|打头)的?")
_WORD = re.compile(r"[A-Za-z0-9_+-]+")
_DIGITS = re.compile(r"[0-9]+")
_DAY = (
    r"20[0-9]{2}(?:-[0-9]{1,2}(?:-[0-9]{1,2})?|/[0-9]{1,2}/[0-9]{1,2}|\.[0-9]{1,2}\.[0-9]{1,2}"
    r"|年[0-9]{1,2}月(?:[0-9]{1,2}[日号])?)"
)
_DATE = re.compile(rf"{_DAY}(?:\.\.{_DAY})?")


@dataclass(slots=True)
class Reading:
    """What a stretch of unquoted words without keys means."""

    matches: dict[str, dict[str, Any]] = field(default_factory=dict)
    time: dict[str, str] | None = None
    guesses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields filled from a number's form alone, and what else such a number may be."""
    text: str = ""

    def add(self, name: str, value: str) -> None:
        """One more number for `name`."""
        equals = self.matches.setdefault(name, {}).setdefault("equals", [])
        if value not in equals:
            equals.append(value)


def read_bare(words: list[str], now: datetime) -> Reading:
    """Reads the words: order numbers first (whatever stands around them), then cued numbers, then by form."""
    reading = Reading()
    raw = " ".join(words)
    text = unicodedata.normalize("NFKC", raw)
    if _order_numbers(text, reading):
        return reading
    rest = _MASKED.sub(lambda match: _masked(match, reading), text)
    rest = _TAIL.sub(lambda match: _tail(match, reading), rest)
    rest = _HEAD.sub(lambda match: _head(match, reading), rest)
    rest = _CUED.sub(lambda match: _cued(match, reading), rest)
    rest = _PHONE.sub(lambda match: _phone(match, reading), rest)
    left = [word for word in rest.split() if not _by_form(word, reading, now)]
    untouched = not reading.matches and not reading.time
    reading.text = raw if untouched else " ".join(left)
    return reading


def starts_with_number(text: str) -> bool:
    """Whether the text opens with 19 digits, spaced groups and hyphens allowed."""
    return bool(_RUN.match(unicodedata.normalize("NFKC", text)))


def _order_numbers(text: str, reading: Reading) -> bool:
    for match in _RUN.finditer(text):
        typed = re.sub(r"[^0-9]", "", match.group())
        valid = number.is_valid(int(typed))
        if not valid and typed != match.group() and not _dated(int(typed)):
            continue  # spaced groups that only happen to add up to 19 digits
        reading.add("order_no", typed)
        if not valid:
            reading.guesses["order_no"] = ("external_no",)
    return "order_no" in reading.matches


def _dated(order_no: int) -> bool:
    try:
        return 2015 <= number.placed_at(order_no).year <= 2060
    except ValueError:
        return False


def _masked(match: re.Match[str], reading: Reading) -> str:
    reading.matches.setdefault("account", {}).update(prefix=match[1], suffix=match[2])
    return " "


def _tail(match: re.Match[str], reading: Reading) -> str:
    subject = _CUE_OF.get(match["subject"] or "", "account")
    reading.matches.setdefault(subject, {})["suffix"] = match["digits"]
    return " "


def _head(match: re.Match[str], reading: Reading) -> str:
    reading.matches.setdefault("account", {})["prefix"] = match[1]
    return " "


def _cued(match: re.Match[str], reading: Reading) -> str:
    cue = re.match(_CUE_WORDS, match.group())
    reading.add(_CUE_OF[cue.group()] if cue else "order_no", match["value"])
    return " "


def _phone(match: re.Match[str], reading: Reading) -> str:
    reading.add("account", match[1] + match[2] + match[3])
    return " "


def _by_form(word: str, reading: Reading, now: datetime) -> bool:
    """Files one word by its form (SPEC table of uncued numbers); False when it is no number."""
    if reading.time is None and _DATE.fullmatch(word):
        reading.time = _period(word, now)
        if reading.time is not None:
            return True
    if _EMAIL.fullmatch(word):
        reading.add("account", word)
        return True
    if not _WORD.fullmatch(word):
        return False
    digits = sum(character.isdigit() for character in word)
    if not _DIGITS.fullmatch(word):
        if len(word) < 8 or digits < 6:
            return False
        reading.add("order_no", word)
        reading.guesses["order_no"] = ("external_no", "account", "text")
        return True
    return _pure(word, reading, now)


def _pure(word: str, reading: Reading, now: datetime) -> bool:
    if len(word) == 28 and (word.startswith("4200") or (word[8:12] == "2200" and _period(_dashed(word[:8]), now))):
        reading.add("external_no", word)
        reading.guesses["external_no"] = ("order_no",)
    elif len(word) in (6, 8) and word.startswith("20") and reading.time is None and _period(_dashed(word), now):
        reading.time = _period(_dashed(word), now)
    elif 12 <= len(word) <= 32:
        reading.add("order_no", word)
        reading.guesses["order_no"] = ("external_no", "account")
    elif 7 <= len(word) <= 11:
        reading.add("account", word)
        reading.guesses["account"] = ("order_no", "external_no", "text")
    elif 4 <= len(word) <= 6:
        reading.matches.setdefault("account", {})["suffix"] = word
        reading.guesses["account"] = ("text",)
    else:
        return False
    return True


def _dashed(word: str) -> str:
    """`20261124` as `2026-11-24`, `202611` as `2026-11`."""
    return "-".join((word[:4], word[4:6], word[6:8])).rstrip("-")


def _period(word: str, now: datetime) -> dict[str, str] | None:
    try:
        return time_range("placed", word, now)
    except InvalidQuery:
        return None
