"""Numbers as people write them: 1234, 1.5k, 2w, 1万2, 两千五, 一百五, 二零二五, 俩 (the characters are data)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import cache

from chadan.nlq.patterns import data_json

LARGEST = Decimal(10) ** 15


@cache
def _tables() -> tuple[dict[str, int], dict[str, int]]:
    words = data_json("words.json")["numbers"]
    return words["digits"], words["units"]


def digits_of(text: str) -> str | None:
    """A string of digit characters as ASCII digits (八八六六 → 8866); None when it is not one."""
    digits, _ = _tables()
    out = []
    for character in text:
        if character.isascii() and character.isdigit():
            out.append(character)
        elif digits.get(character, 10) < 10:
            out.append(str(digits[character]))
        else:
            return None
    return "".join(out) or None


def small(text: str) -> int | None:
    """A whole number in either script; None when `text` is none."""
    value = number(text)
    return int(value) if value is not None and value == int(value) else None


def number(text: str) -> Decimal | None:
    """The value of a number without a currency; None when `text` is none. Values above 10^15 are given as they are."""
    value = _value(text)
    return value[0] if value else None


def place(text: str) -> Decimal:
    """The place value of the number's last digit that is not zero (一百 → 100, 120 → 10, 1万2 → 1000)."""
    value = _value(text)
    return value[1] if value else Decimal(1)


def _value(text: str) -> tuple[Decimal, Decimal] | None:
    if not text or len(text) > 40:
        return None
    digits, units = _tables()
    if all(character in digits for character in text) and len(text) > 1 and not text.isascii():
        plain = digits_of(text)
        return (Decimal(plain), _last_place(plain)) if plain else None
    total, section, current = Decimal(0), Decimal(0), None
    last, step = Decimal(1), Decimal(0)
    index = 0
    while index < len(text):
        character = text[index]
        if character.isascii() and (character.isdigit() or character == "."):
            end = index
            while end < len(text) and text[end].isascii() and (text[end].isdigit() or text[end] == "."):
                end += 1
            try:
                current = Decimal(text[index:end])
            except InvalidOperation:
                return None
            last, index = _last_place(text[index:end]), end
            step = Decimal(0) if step == 1 else step
            continue
        if character in digits:
            if current is not None:
                return None
            current, last = Decimal(digits[character]), Decimal(1)
            if digits[character] == 0:
                current, step = None, Decimal(1)
        elif character in units:
            unit = Decimal(units[character])
            if unit >= 10000:
                section += current or 0
                total = (total + section) * unit if section or total else unit
                section = Decimal(0)
            else:
                section += (Decimal(1) if current is None else current) * unit
            last = last * unit if current is not None else unit
            current, step = None, unit
        else:
            return None
        index += 1
    if current is not None:
        if step > 1 and current < 10 and current == int(current):
            current, last = current * step / 10, step / 10
        section += current
    return total + section, last


def _last_place(plain: str) -> Decimal:
    if "." in plain:
        return Decimal(1).scaleb(-len(plain.partition(".")[2]))
    stripped = plain.rstrip("0")
    return Decimal(10) ** (len(plain) - len(stripped)) if stripped else Decimal(1)
