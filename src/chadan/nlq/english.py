"""English questions (§14): phrases are rewritten into the Chinese ones the grammar reads, keeping track of the raw text."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from chadan.nlq.patterns import data_json
from chadan.nlq.sheet import Sheet

_WORDS = re.compile(r"[a-z]{3}")
_SLOT = re.compile(r"\{([a-z]*)(\d)\}")


@cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    data = data_json("english.json")
    names = {"NUM": "numbers", "UNIT": "units", "MONTH": "months", "WEEKDAY": "weekdays"}
    out = []
    for source, replacement in data["rules"]:
        text = source
        for name, table in names.items():
            words = "|".join(sorted(map(re.escape, data[table]), key=len, reverse=True))
            text = text.replace(name, (r"\d{1,4}|" if name == "NUM" else "") + words)
        # ASCII: a word ends where Chinese begins (last week的).
        out.append((re.compile(text.replace("TIME", data["time"]), re.ASCII), replacement))
    return out


def _word(kind: str, value: str | None) -> str:
    data: dict[str, Any] = data_json("english.json")
    if value is None:
        return "1" if kind == "num" else ""
    if kind == "num":
        return str(data["numbers"].get(value, value))
    table = {"unit": "units", "mon": "months", "wd": "weekdays"}.get(kind)
    return str(data[table][value]) if table else value


def to_chinese(sheet: Sheet) -> None:
    """Rewrites the sheet's text; to be called before anything is consumed."""
    if not _WORDS.search(sheet.text):
        return
    for rule, replacement in _rules():
        if rule.search(sheet.text):
            _rewrite(sheet, rule, replacement)
    sheet.mask = sheet.text


def _filled(replacement: str, match: re.Match[str]) -> str:
    return _SLOT.sub(lambda slot: _word(slot[1], match[int(slot[2])]), replacement)


def _rewrite(sheet: Sheet, rule: re.Pattern[str], replacement: str) -> None:
    text, where, last = "", [], 0
    for match in rule.finditer(sheet.text):
        new = _filled(replacement, match)
        text += sheet.text[last : match.start()] + new
        where += sheet.where[last : match.start()] + [sheet.where[match.start()]] * len(new)
        last = match.end()
    sheet.text = text + sheet.text[last:]
    sheet.where = where + sheet.where[last:]
