"""Cue and name: buyers, merchants, agents, suppliers, platforms, tags; and the side of the trade (§10)."""

from __future__ import annotations

import re
import unicodedata

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.patterns import pattern
from chadan.nlq.sheet import Piece, Sheet

SLOTS = ("buyer", "merchant", "agent", "supplier", "platform")
ROLES = {"role_consumer": "consumer", "role_sales": "sales", "role_agent": "agent"}


def read_quoted(sheet: Sheet) -> None:
    """Consumes cue and quoted name before anything looks inside the quotes."""
    for match in list(pattern("people_cue").finditer(sheet.mask)):
        sep = pattern("name_sep").match(sheet.mask, match.end())
        quoted = pattern("quoted").match(sheet.mask, sep.end() if sep else match.end())
        if quoted:
            slot = next(name for name in SLOTS if match[name] is not None)
            names = [_written(sheet, quoted.start("name"), quoted.end("name"))]
            _take(sheet, match.start(), quoted.end(), slot, names)


def read_roles(sheet: Sheet) -> None:
    """Consumes the phrases that name a side: 我买的, 销售订单, 下级代理的."""
    for name, role in ROLES.items():
        for match in list(pattern(name).finditer(sheet.mask)):
            if sheet.free(match.start(), match.end()):
                sheet.take(match.start(), match.end(), "role", "role_view", role)


def read_tags(sheet: Sheet) -> None:
    """Consumes tags."""
    for match in list(pattern("tag").finditer(sheet.mask)):
        group = next(name for name in ("t1", "t2", "t3", "t4") if match[name] is not None)
        value = _written(sheet, match.start(group), match.end(group))
        if value and sheet.free(match.start(), match.end()):
            sheet.take(match.start(), match.end(), "tag", "tag", value).negated = bool(match["no"])


def read_people(sheet: Sheet, lexicon: Lexicon) -> None:
    """Consumes cue and name, several names after one cue, and an unknown name before 买的."""
    for match in list(pattern("people_cue").finditer(sheet.mask)):
        if sheet.free(match.start(), match.end()):
            _named(sheet, lexicon, match)
    for match in list(pattern("bare_buyer").finditer(sheet.mask)):
        if sheet.free(match.start(), match.end()):
            _bare(sheet, lexicon, match)


def _named(sheet: Sheet, lexicon: Lexicon, cue: re.Match[str]) -> None:
    mask = sheet.mask
    slot = next(name for name in SLOTS if cue[name] is not None)
    if pattern("not_cue_before").search(mask, max(0, cue.start() - 6), cue.start()):
        return
    sep = pattern("name_sep").match(mask, cue.end())
    here = sep.end() if sep else cue.end()
    if slot == "platform" and lexicon.trie.longest(mask, here):
        sheet.cover(cue.start(), here)
        return
    names: list[str] = []
    end = here
    while True:
        name = pattern("name").match(mask, here)
        if not name or pattern("not_name").match(name[0]) or pattern("no_name").fullmatch(name[0]):
            break
        polite = pattern("after_name").search(name[0])
        stop = name.start() + (polite.start() if polite else len(name[0]))
        stop = _before_thing(lexicon, mask, name.start(), stop)
        if stop - name.start() < 1:
            break
        names.append(_written(sheet, name.start(), stop))
        end = stop
        more = pattern("and_name").match(mask, end)
        if not more or _is_cue(mask, more.end()) or lexicon.trie.longest(mask, more.end()):
            break
        here = more.end()
    if names and not (slot == "platform" and not _likely(names)):
        _take(sheet, cue.start(), end, slot, names).negated = bool(sep and sep["no"])


def _before_thing(lexicon: Lexicon, mask: str, start: int, end: int) -> int:
    """Where a name ends when a word of the lexicon closes it (客户李四激活码): a name has two characters at least."""
    for index in range(start + 2, end):
        found = lexicon.trie.longest(mask, index)
        if found and found[0] == end and end - index > 1:
            return index
    return end


def _likely(names: list[str]) -> bool:
    return all(1 < len(name) <= 12 for name in names)


def _is_cue(mask: str, index: int) -> bool:
    return bool(pattern("people_cue").match(mask, index))


def _bare(sheet: Sheet, lexicon: Lexicon, match: re.Match[str]) -> None:
    start, end = match.start("name"), match.end("name")
    previous = sheet.mask[start - 1] if start else " "
    if previous.isascii() and previous.isalnum():
        return
    lead = pattern("noise_lead").match(sheet.mask, start, end)
    start = lead.end() if lead else start
    name = sheet.mask[start:end]
    if not 2 <= len(name) <= 12 or pattern("not_bare_name").fullmatch(name):
        return
    if any(lexicon.trie.longest(sheet.mask, index) for index in range(start, end)):
        return
    if start and re.match(r"[\u3400-\u9fff0-9]", sheet.mask[start - 1]) and not lead:
        return
    _take(sheet, start, match.end(), "buyer", [_written(sheet, start, end)])


def _written(sheet: Sheet, start: int, end: int) -> str:
    return unicodedata.normalize("NFKC", sheet.raw_of(start, end)).strip(" \"'“”")


def _take(sheet: Sheet, start: int, end: int, slot: str, names: list[str]) -> Piece:
    kind = "platform" if slot == "platform" else "person"
    return sheet.take(start, end, kind, slot, [name for name in dict.fromkeys(names) if name])
