"""Typo repair: a span that sounds like exactly one domain word is read as it; so is a long word with one wrong character (§2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.patterns import data_json, data_text, pattern
from chadan.nlq.sheet import Sheet

MIN_WRONG = 4
MAX_WORD = 8
SHORT = 3
WILD = "*"


@cache
def syllables() -> dict[str, tuple[str, ...]]:
    """The toneless readings of the everyday characters."""
    found: dict[str, tuple[str, ...]] = {}
    for line in data_text("syllables.txt").splitlines():
        syllable, _, characters = line.partition(" ")
        for character in characters:
            found[character] = (syllable,)
    for character, readings in data_json("words.json")["readings"].items():
        found[character] = tuple(readings)
    return found


@cache
def ordinary() -> frozenset[str]:
    """Everyday words of two characters, and longer ones that hold the sound of a domain word (充电 beside 电报).

    From the dictionary of jieba 0.42.1 (MIT licence), see `ordinary_build.py`.
    """
    return frozenset(data_text("ordinary.txt").split())


@dataclass
class Repairs:
    """The domain words by sound and by shape with one character left open."""

    words: set[str] = field(default_factory=set)
    by_sound: dict[tuple[str, ...], set[str]] = field(default_factory=dict)
    by_shape: dict[str, set[str]] = field(default_factory=dict)

    def add(self, word: str) -> None:
        """Puts a word in, when it has two Chinese characters and no reading is unknown."""
        if word in self.words or len(word) > MAX_WORD:
            return
        self.words.add(word)
        if _chinese(word) < 2:
            return
        for sound in sounds(word):
            self.by_sound.setdefault(sound, set()).add(word)
        if _chinese(word) >= MIN_WRONG:
            for index, character in enumerate(word):
                if _is_chinese(character):
                    self.by_shape.setdefault(word[:index] + WILD + word[index + 1 :], set()).add(word)


def _is_chinese(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"


def _chinese(word: str) -> int:
    return sum(map(_is_chinese, word))


def sounds(word: str) -> Iterable[tuple[str, ...]]:
    """The readings of a word, as syllables; an ASCII character reads as itself."""
    known = syllables()
    choices = [known.get(character, ()) if _is_chinese(character) else (character,) for character in word]
    return product(*choices)


def repairs(lexicon: Lexicon) -> Repairs:
    """The index of a lexicon, built at first use and kept with it."""
    index: Repairs | None = lexicon.repairs.get("index")
    if index is None:
        index = Repairs()
        for word in data_json("words.json")["repairable"]:
            index.add(word)
        for alias, term in lexicon.terms.items():
            if term.slot in ("product", "category", "payment_method", "platform", "member", "variant"):
                if term.slot == "variant":
                    index.words.add(alias)
                else:
                    index.add(alias)
        index.words.update(data_json("words.json")["known"], *(entry["names"] for entry in data_json("festivals.json")))
        lexicon.repairs["index"] = index
    return index


def repair(sheet: Sheet, lexicon: Lexicon) -> None:
    """Writes the domain word over what sounds like it; the text keeps its length."""
    index = repairs(lexicon)
    covered = _known_spans(sheet.mask, index)
    start = 0
    while start < len(sheet.mask):
        end = _repaired(sheet, index, covered, start)
        start = end or start + 1


def _known_spans(mask: str, index: Repairs) -> list[int]:
    """For each place, the end of the longest known word that begins there (0 when none does)."""
    ends = [0] * (len(mask) + 1)
    for start in range(len(mask)):
        for length in range(min(MAX_WORD, len(mask) - start), 1, -1):
            if mask[start : start + length] in index.words:
                ends[start] = start + length
                break
    return ends


def _repaired(sheet: Sheet, index: Repairs, known: list[int], start: int) -> int:
    mask = sheet.mask
    if known[start]:
        longer = _candidate(sheet, index, known, start, known[start] - start + 1)
        return longer or known[start]
    return _candidate(sheet, index, known, start, 2) if _starts(mask, start) else 0


def _starts(mask: str, start: int) -> bool:
    if _is_chinese(mask[start]):
        return True
    return (
        mask[start].isascii()
        and mask[start].isalnum()
        and not (start and mask[start - 1].isascii() and mask[start - 1].isalnum())
    )


def _candidate(sheet: Sheet, index: Repairs, known: list[int], start: int, shortest: int) -> int:
    mask = sheet.mask
    for length in range(min(MAX_WORD, len(mask) - start), shortest - 1, -1):
        span = mask[start : start + length]
        if _chinese(span) < 2 or any(character >= "\ue000" or character == " " for character in span):
            continue
        heard = _heard(index, span)
        word = heard or _miswritten(index, span)
        if word is None or _crossed(known, start, start + length, by_sound=heard is not None):
            continue
        if _is_name(mask, start) or _inside_ordinary(mask, start, start + length):
            continue
        if pattern("never_repaired").match(mask, start) or pattern("numerals").fullmatch(span):
            continue
        sheet.text = sheet.text[:start] + word + sheet.text[start + length :]
        sheet.mask = mask[:start] + word + mask[start + length :]
        sheet.note("repaired", written=sheet.raw_of(start, start + length), read=word)
        return start + length
    return 0


def _heard(index: Repairs, span: str) -> str | None:
    for sound in sounds(span):
        words = index.by_sound.get(sound)
        if words:
            return next(iter(words)) if len(words) == 1 and span not in index.words else None
    return None


def _miswritten(index: Repairs, span: str) -> str | None:
    if _chinese(span) < MIN_WRONG or span in index.words:
        return None
    found: set[str] = set()
    for place, character in enumerate(span):
        if _is_chinese(character) and not _well_written(index, span, place):
            found |= index.by_shape.get(span[:place] + WILD + span[place + 1 :], set())
    return next(iter(found)) if len(found) == 1 else None


def _well_written(index: Repairs, span: str, place: int) -> bool:
    """Whether a character is no slip: a function word, or one of a word with its neighbour (中旬 in 中旬联通)."""
    if pattern("function_character").match(span[place]):
        return True
    pairs = (span[max(0, place - 1) : place + 1], span[place : place + 2])
    return any(len(pair) == 2 and (pair in ordinary() or pair in index.words) for pair in pairs)


def _all_functional(text: str) -> bool:
    return all(pattern("function_character").match(character) for character in text)


def _inside_ordinary(mask: str, start: int, end: int) -> bool:
    """Whether a short span takes a piece out of an everyday word (电宝 out of 充电宝, 一长 out of 一长串)."""
    if end - start > SHORT:
        return False
    words = ordinary()
    for length in (2, 3, 4):
        for first in range(max(0, start - length + 1), end):
            last = first + length
            outer = mask[first:start] + mask[end:last]
            if last <= len(mask) and outer and mask[first:last] in words and not _all_functional(outer):
                return True
    return False


def _crossed(known: list[int], start: int, end: int, *, by_sound: bool) -> bool:
    """Whether a known word reaches over the span's edge, or the span is made of known words alone.

    One that sounds right may run into a shorter word behind it; one with a wrong character may not (上的流量包).
    """
    for place in range(max(0, start - MAX_WORD), end):
        stop = known[place]
        into = place < start < stop <= end
        beyond = start <= place < end < stop and (not by_sound or stop - place >= end - start)
        if stop and (into or beyond):
            return True
    place = start
    while place < end and known[place]:
        place = known[place]
    return place == end


def _is_name(mask: str, start: int) -> bool:
    for match in pattern("people_cue").finditer(mask, max(0, start - 12), start):
        sep = pattern("name_sep").match(mask, match.end())
        if sep and sep.end() == start:
            return True
    return False
