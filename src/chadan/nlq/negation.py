"""Negation: the governed terms move to `exclude` (§12)."""

from __future__ import annotations

from chadan.nlq.patterns import pattern
from chadan.nlq.sheet import NAMES, Piece, Sheet

THINGS = frozenset({"product", "category", "variant"})
EXCLUDABLE = frozenset(
    {
        "status",
        "category",
        "product",
        "variant",
        "payment_method",
        "platform",
        "buyer",
        "merchant",
        "agent",
        "supplier",
        "tag",
        "account",
    }
)


def read_negation(sheet: Sheet) -> None:
    """Marks the pieces that a negator governs and consumes the negators."""
    for name in ("prefix_any", "prefix_status"):
        for match in list(pattern(name).finditer(sheet.mask)):
            end = _govern(sheet, match.end())
            if end:
                sheet.cover(match.start(), match.end())
                outside = pattern("outside").match(sheet.mask, end)
                if outside and outside.end() > end:
                    sheet.cover(end, outside.end())
    for piece in list(sheet.pieces):
        if not piece.negated and piece.slot in EXCLUDABLE:
            after = pattern("postposed").match(sheet.mask, piece.end)
            if after:
                _backwards(sheet, piece)
                marker = pattern("object_marker").search(sheet.mask, 0, piece.start)
                start = marker.start() if marker else piece.end
                sheet.cover(piece.end, after.end())
                if marker:
                    sheet.cover(start, marker.end())


def _starting(sheet: Sheet, index: int) -> Piece | None:
    return next(
        (piece for piece in sheet.pieces if piece.start == index and NAMES.get(sheet.mask[index]) == piece.kind), None
    )


def _govern(sheet: Sheet, index: int) -> int:
    """Negates the coordination that begins at `index`; its end, 0 when nothing there can be excluded."""
    end = 0
    family: str = ""
    while index < len(sheet.mask) and sheet.mask[index] in NAMES:
        piece = _starting(sheet, index)
        if piece is not None and piece.slot == "has_after_sale":
            piece.value = not piece.value
            return piece.end
        if piece is None or piece.slot not in EXCLUDABLE:
            break
        piece.negated = True
        family, end = _family(piece), piece.end
        joined = pattern("join").match(sheet.mask, end)
        following = joined.end() if joined else end
        if following >= len(sheet.mask):
            break
        after = _starting(sheet, following)
        if (
            after is None
            or (not joined and _family(after) != family)
            or (joined and "," in joined[0] and _family(after) != family)
        ):
            break
        index = following
    return end


def _backwards(sheet: Sheet, piece: Piece) -> None:
    piece.negated = True
    while True:
        before = [
            other
            for other in sheet.pieces
            if other.end <= piece.start
            and other.slot in EXCLUDABLE
            and _family(other) == _family(piece)
            and (other.end == piece.start or pattern("join_plain").fullmatch(sheet.mask[other.end : piece.start]))
        ]
        if not before:
            return
        piece = max(before, key=lambda other: other.end)
        if piece.negated:
            return
        piece.negated = True


def _family(piece: Piece) -> str:
    return "things" if piece.kind in THINGS else piece.kind
