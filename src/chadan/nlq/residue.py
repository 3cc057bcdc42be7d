"""What no recogniser understood: content becomes `text`, function words are dropped (§13)."""

from __future__ import annotations

import re

from chadan.nlq.patterns import pattern
from chadan.nlq.repair import ordinary
from chadan.nlq.sheet import Sheet

MAX_TEXT = 500


def read_remark(sheet: Sheet) -> None:
    """Takes what a remark says as text, before anything else reads it (备注里有加急)."""
    remark = pattern("remark").search(sheet.mask)
    if remark and remark.end() > remark.start():
        sheet.cover(remark.start(), remark.end())
        value = pattern("remark_value").match(sheet.mask, remark.end())
        if value and not pattern("noise_all").fullmatch(value["value"]):
            start, end = value.span("value")
            sheet.take(start, end, "text", "text", sheet.raw_of(start, end))


def read_residue(sheet: Sheet) -> tuple[str, list[str]]:
    """The query's `text` and the content words in it, in the order of the utterance."""
    parts: list[tuple[int, str]] = [(piece.start, str(piece.value)) for piece in sheet.having("text")]
    for segment in re.finditer("[^\ue000-\uf8ff]+", sheet.mask):
        for start, end in _content(sheet.mask, segment.start(), segment.end()):
            parts.append((start, sheet.raw_of(start, end).strip()))
    words = [text for _, text in sorted(parts) if text]
    joined = " ".join(words).strip()
    if len(joined) > MAX_TEXT:
        sheet.note("text_cut", kept=MAX_TEXT, given=len(joined))
        joined = joined[:MAX_TEXT].strip()
    return joined, words


def _content(mask: str, start: int, end: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    here = start
    for gap in [*pattern("split").finditer(mask, start, end), None]:
        stop = gap.start() if gap else end
        token = _trimmed(mask, here, stop)
        if token:
            found.append(token)
        here = gap.end() if gap else end
    return found


def _trimmed(mask: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end:
        token = mask[start:end]
        if not re.search(r"[0-9a-z\u3400-\u9fff]", token) or pattern("noise_all").fullmatch(token):
            return None
        lead, tail = pattern("noise_lead").match(token), pattern("noise_tail").search(token)
        kept = _kept_lead(token, lead.end()) if lead else 0
        left = _kept_tail(token, tail.start()) if tail else len(token)
        if kept:
            start += kept
        elif left < len(token):
            end = start + left
        else:
            return start, end
    return None


def _kept_lead(token: str, end: int) -> int:
    """Where the content begins: a function word of one character may be the first of a longer word (充 of 充电宝)."""
    split = token[end - 1 : end + 1] in ordinary() and token[end : end + 2] not in ordinary()
    return end - 1 if split and len(token) > end + 1 else end


def _kept_tail(token: str, start: int) -> int:
    """Where the content ends: a function word of one character may be the last of a longer word (里 of 公里)."""
    split = start and token[start - 1 : start + 1] in ordinary() and token[max(0, start - 2) : start] not in ordinary()
    return start + 1 if split and start > 1 else start
