"""Products, categories, variants, payment methods and platforms (§9–10)."""

from __future__ import annotations

import re

from chadan.nlq.lexicon import Lexicon, Term
from chadan.nlq.numbers import small
from chadan.nlq.patterns import data_json, pattern
from chadan.nlq.sheet import KINDS, Piece, Sheet

KIND_OF = {
    "payment_method": "payment",
    "supplier": "person",
    "buyer": "person",
    "merchant": "person",
    "agent": "person",
}
MEMBER_CATEGORIES = ("video_member", "music_member")


def keep_whole(sheet: Sheet, lexicon: Lexicon) -> None:
    """Consumes the names that contain digits or words of time before anything else sees them (§2)."""
    _scan(sheet, lexicon, kept=True)


def read_things(sheet: Sheet, lexicon: Lexicon) -> None:
    """Consumes the lexicon's words, data sizes and foreign face values."""
    for match in list(pattern("foreign").finditer(sheet.mask)):
        value = match["d1"] or match["d2"]
        number = value if re.match(r"\d", value) else str(small(value) or "")
        if number:
            sheet.take(match.start(), match.end(), "variant", "variant", f"{number}{data_json('words.json')['dollar']}")
    for match in list(pattern("data_size").finditer(sheet.mask)):
        number = match["size"] or str(small(match["cn_size"]) or "")
        unit = (match["unit"] or match["cn_unit"])[0].upper()
        sheet.take(match.start(), match.end(), "variant", "variant", f"{number}{unit}")
    _scan(sheet, lexicon, kept=False)
    _durations(sheet, lexicon)
    _members(sheet)


def _scan(sheet: Sheet, lexicon: Lexicon, *, kept: bool) -> None:
    trie = lexicon.kept_whole if kept else lexicon.trie
    index, mask = 0, sheet.mask
    while index < len(mask):
        found = trie.longest(mask, index) if mask[index] < "\ue000" else None
        if found and not (
            kept
            and (
                _longer(lexicon, mask, index, found[0])
                or pattern("clock_card").search(mask, max(0, index - 2), found[0])
            )
        ):
            end, term = found
            end = _take(sheet, index, end, term)
            mask = sheet.mask
            index = end
        else:
            index += 1


def _longer(lexicon: Lexicon, mask: str, index: int, end: int) -> bool:
    found = lexicon.trie.longest(mask, index)
    return bool(found and found[0] > end)


def _take(sheet: Sheet, start: int, end: int, term: Term) -> int:
    if term.slot == "payment_method":
        if pattern("not_payment").match(sheet.mask, end):
            return end
        before = pattern("pay_before").search(sheet.mask, max(0, start - 4), start)
        after = pattern("pay_after").match(sheet.mask, end)
        start = before.start() if before and before.end() == start else start
        end = after.end() if after else end
    if term.slot == "platform":
        tail = pattern("platform_tail").match(sheet.mask, end)
        end = tail.end() if tail else end
    kind = KIND_OF.get(term.slot, term.slot)
    sheet.take(start, end, kind, "category" if term.slot == "member" else term.slot, term.value, category=term.category)
    return end


def _durations(sheet: Sheet, lexicon: Lexicon) -> None:
    """「3个月会员」: a duration before a member word is a variant. It was left alone by the recogniser of time."""
    for piece in sheet.having("member", "category"):
        if piece.kind == "category" and piece.value not in MEMBER_CATEGORIES:
            continue
        for length in range(1, 6):
            start = piece.start - length
            if start < 0:
                break
            for skip in (0, 1):
                word = sheet.mask[start - skip : piece.start - skip] if start >= skip else ""
                if word in lexicon.durations and (
                    not skip or pattern("link_character").match(sheet.mask, piece.start - 1)
                ):
                    sheet.take(start - skip, piece.start - skip, "variant", "variant", lexicon.durations[word])
                    break


def _members(sheet: Sheet) -> None:
    """会员 behind a product means the product's category; alone it means both member categories (§9)."""
    for piece in sheet.having("member"):
        before = _behind(sheet, piece)
        piece.kind = "category"
        sheet.cover(piece.start, piece.end, "category")
        if before is None:
            piece.value = list(MEMBER_CATEGORIES)
        elif before.info.get("category") in MEMBER_CATEGORIES:
            piece.value = before.info["category"]
        else:
            piece.value = []
        piece.info["generic"] = True


def _behind(sheet: Sheet, member: Piece) -> Piece | None:
    here = member.start
    while here and (sheet.mask[here - 1] == KINDS["variant"] or pattern("link_character").match(sheet.mask, here - 1)):
        here -= 1
    if not here or sheet.mask[here - 1] != KINDS["product"]:
        return None
    return next(piece for piece in sheet.pieces if piece.kind == "product" and piece.end == here)
