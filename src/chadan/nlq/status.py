"""Status phrases and whether there was an after-sale case (§8)."""

from __future__ import annotations

from chadan.nlq.patterns import pattern
from chadan.nlq.sheet import Sheet

PHRASES: dict[str, list[str]] = {
    "st_pending": ["pending_payment"],
    "st_paid": ["paid"],
    "st_waiting": ["paid", "processing"],
    "st_processing": ["processing"],
    "st_delivered": ["delivered"],
    "st_completed": ["completed"],
    "st_arrived": ["delivered", "completed"],
    "st_not_arrived": ["paid", "processing", "failed"],
    "st_open": ["pending_payment", "paid", "processing", "delivered"],
    "st_cancelled": ["cancelled"],
    "st_after_sale": ["after_sale"],
    "st_refunded": ["refunded"],
    "st_failed": ["failed"],
    "st_trouble": ["after_sale", "failed"],
}


def read_status(sheet: Sheet) -> None:
    """Consumes the status phrases; a measure that is not supported (退款率) goes to the text first."""
    for match in list(pattern("unsupported").finditer(sheet.mask)):
        sheet.take(match.start(), match.end(), "text", "text", sheet.raw_of(match.start(), match.end()))
    index = 0
    while index < len(sheet.mask):
        if sheet.mask[index] < "\ue000" and not sheet.mask[index].isspace():
            end = _at(sheet, index)
            if end:
                index = end
                continue
        index += 1


def _at(sheet: Sheet, index: int) -> int:
    mask = sheet.mask
    absorbed = pattern("absorbed").match(mask, index)
    if absorbed:
        sheet.cover(index, absorbed.end())
        return absorbed.end()
    case = pattern("has_after_sale").match(mask, index)
    if case:
        sheet.take(index, case.end(), "aftersale", "has_after_sale", case["no"] is None)
        return case.end()
    if (
        index
        and mask[index].isascii()
        and mask[index - 1].isascii()
        and mask[index].isalnum()
        and mask[index - 1].isalnum()
    ):
        return 0
    best, end = None, index
    for name, values in PHRASES.items():
        match = pattern(name).match(mask, index)
        if match and match.end() > end and not _inside_word(mask, match.end()):
            best, end = values, match.end()
    if best:
        sheet.take(index, end, "status", "status", best)
    return end if best else 0


def _inside_word(mask: str, end: int) -> bool:
    return end < len(mask) and mask[end].isascii() and mask[end].isalpha() and mask[end - 1].isascii()
