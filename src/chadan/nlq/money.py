"""Money: a number with its comparator, and whether it is the face value or what was paid (§6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.numbers import number, place
from chadan.nlq.patterns import data_json, pattern
from chadan.nlq.sheet import KINDS, Sheet

MAX_FEN = 2**63 - 1
ONE = Decimal(1)
THINGS = KINDS["product"] + KINDS["category"] + KINDS["variant"]
CUE_WINDOW = 24
NOT_WINDOW = 10


@dataclass
class Amount:
    """A number as written: its bounds (both inclusive unless `open_*`), and what stood with it."""

    start: int
    end: int
    low: Decimal | None
    high: Decimal | None
    place: Decimal = ONE
    unit: bool = False
    shaped: bool = False
    open_low: bool = False
    open_high: bool = False
    text: str = ""


def scan(mask: str, index: int) -> Amount | None:
    """The number at `index` without its comparator (几百, 一百多 and 两三百 are bounds already)."""
    start = index
    currency = pattern("currency").match(mask, index)
    index = currency.end() if currency else index
    found = _shaped(mask, index) or _plain(mask, index)
    if not found:
        return None
    found.start, found.unit = start, found.unit or bool(currency)
    unit = pattern("unit").match(mask, found.end)
    if unit:
        found.end, found.unit = unit.end(), True
    return found


def _shaped(mask: str, index: int) -> Amount | None:
    places = data_json("words.json")["places"]
    up = pattern("up_number").match(mask, index)
    if up:
        return Amount(index, up.end(), Decimal(places[up["up"]]), None, shaped=True)
    few = pattern("few_number").match(mask, index)
    if few and (few["few_place"] or few["many_place"] or pattern("unit").match(mask, few.end())):
        step = Decimal(places.get(few["few_place"] or few["many_place"] or "", 1))
        top = Decimal("9.99") * step if step == 1 else 10 * step
        return Amount(index, few.end(), 2 * step, top, shaped=True, open_high=step > 1)
    pair = pattern("pair_number").match(mask, index)
    if pair and (pair["pair_place"] or pattern("unit").match(mask, pair.end())):
        step = Decimal(places.get(pair["pair_place"] or "", 1))
        low, high = (number(pair[name]) for name in ("first", "second"))
        if low is not None and high is not None and low < high:
            return Amount(index, pair.end(), low * step, high * step, shaped=True)
    dime = pattern("dime").match(mask, index)
    if dime:
        value = (number(dime["dimes"]) or 0) / Decimal(10) + (number(dime["cents"] or "") or 0) / Decimal(100)
        return Amount(index, dime.end(), value, value, unit=True)
    return None


def _plain(mask: str, index: int) -> Amount | None:
    if index and mask[index - 1].isascii() and pattern("letter").match(mask[index - 1]):
        return None
    match = pattern("plain_number").match(mask, index)
    value = number(match[0]) if match else None
    if not match or value is None:
        return None
    decimals = pattern("decimals").match(mask, match.end())
    if decimals:
        value += (number(decimals["tenth"]) or 0) / Decimal(10) + (number(decimals["cent"] or "") or 0) / Decimal(100)
        return Amount(index, decimals.end(), value, value, unit=True, text=match[0])
    step = place(match[0])
    more = pattern("more").match(mask, match.end())
    if more and value:
        return Amount(index, more.end(), value, value + step, step, shaped=True, open_low=True, open_high=True)
    around = pattern("approx_tail").match(mask, match.end())
    if around:
        return Amount(index, around.end(), value * 9 / 10, value * 11 / 10, step, shaped=True)
    return Amount(index, match.end(), value, value, step, text=match[0])


def measured(mask: str, index: int, found: Amount) -> tuple[int, int, Amount, bool]:
    """The number with a range or comparators applied: start, end, bounds, and whether anything was applied."""
    ranged = _range(mask, found)
    if ranged:
        opening = re.search(f"{pattern('range_open').pattern}\\s*$", mask[max(0, index - 9) : index])
        close = pattern("range_close").match(mask, ranged.end)
        start = index - len(opening[0]) if opening else index
        return start, close.end() if close else ranged.end, ranged, True
    before = pattern("before_number").search(mask[max(0, index - CUE_WINDOW) : index])
    after = pattern("number_after").match(mask, found.end)
    start, end, applied = index, found.end, False
    if before:
        start, applied = index - len(before[0]), True
        _apply(found, next(name for name, text in before.groupdict().items() if text is not None))
    if after:
        name = next(name for name, text in after.groupdict().items() if text is not None)
        if not (before and name == "about"):
            _apply(found, name)
            end, applied = after.end(), True
    return start, end, found, applied


def _range(mask: str, low: Amount) -> Amount | None:
    sign = pattern("range_to").match(mask, low.end)
    high = scan(mask, sign.end()) if sign else None
    if not sign or not high or low.shaped or high.shaped or low.low is None or high.high is None:
        return None
    named = not re.fullmatch(pattern("range_sign").pattern, sign[0])
    opened = re.search(f"{pattern('range_open').pattern}\\s*$", mask[max(0, low.start - 9) : low.start])
    if named and not (opened or pattern("between").match(mask, high.end)):
        return None
    first, last = low.low, high.high
    scale = place(high.text) if high.text and not high.text.isdigit() else ONE
    short = low.text.isdigit() or len(low.text) == 1
    if short and scale >= 10 and first * scale <= last and first < 100 and not low.unit:
        first *= scale
    return Amount(low.start, high.end, first, last, unit=low.unit or high.unit, shaped=True)


def _apply(found: Amount, name: str) -> None:
    low, high = found.low, found.high
    value = low if low is not None else high
    if value is None:
        return
    if name == "ge":
        found.high, found.open_high = None, False
    elif name == "gt":
        found.low, found.open_low, found.high = high if high is not None else value, True, None
    elif name == "le":
        found.low, found.high, found.open_high = None, high if high is not None else value, found.open_high
    elif name == "lt":
        found.low, found.high, found.open_high = None, value, True
    elif name == "about":
        found.low, found.high = value * 9 / 10, (high if high is not None else value) * 11 / 10
    elif name == "near":
        found.low, found.high, found.open_high = value * 9 / 10, value, True
    elif name == "near_over":
        found.low, found.high, found.open_low = value, value * 11 / 10, True


def bounds(found: Amount, scale: int) -> dict[str, int] | None:
    """Whole inclusive bounds in units of 1/scale; None when there are none or they are too large."""
    out: dict[str, int] = {}
    if found.low is not None:
        exact = found.low * scale
        low = int(exact.to_integral_value(ROUND_CEILING))
        out["min"] = low + 1 if found.open_low and low == exact else low
    if found.high is not None:
        exact = found.high * scale
        high = int(exact.to_integral_value(ROUND_FLOOR))
        out["max"] = high - 1 if found.open_high and high == exact else high
    if any(value > MAX_FEN for value in out.values()):
        return None
    return {name: max(value, 0) for name, value in out.items()} or None


def read_money(sheet: Sheet, lexicon: Lexicon) -> None:
    """Consumes the money phrases."""
    index = 0
    while index < len(sheet.mask):
        if sheet.mask[index] < "\ue000" and not sheet.mask[index].isspace():
            end = _money_at(sheet, lexicon, index)
            if end:
                index = end
                continue
        index += 1


def _money_at(sheet: Sheet, lexicon: Lexicon, index: int) -> int:
    mask = sheet.mask
    found = scan(mask, index)
    if not found:
        return 0
    unit, single = found.unit, found.end - index == 1 and not mask[index].isdigit()
    number_end = found.end
    start, end, found, applied = measured(mask, index, found)
    if not (unit or found.unit) and pattern("other_unit").match(mask, number_end):
        return number_end
    unit = unit or found.unit
    if single and not unit and not found.shaped:
        return number_end
    cue, slot, end = _cued(sheet, start, end)
    if not slot:
        if _denominated(sheet, lexicon, start, end):
            slot = "face_value"
        elif unit or applied or found.shaped:
            slot = "amount"
        elif pattern("not_before").search(mask[max(0, index - NOT_WINDOW) : index]):
            return number_end
    if not slot or (pattern("not_before").search(mask[max(0, index - NOT_WINDOW) : index]) and not unit):
        return number_end
    value = bounds(found, 100)
    if value is None:
        sheet.note("number_too_large", text=sheet.raw_of(index, number_end)[:40])
        return number_end
    sheet.take(cue, end, "money", slot, value)
    return end


def _cued(sheet: Sheet, start: int, end: int) -> tuple[int, str, int]:
    before = sheet.mask[max(0, start - CUE_WINDOW) : start]
    cues = {
        slot: match
        for slot, name in (("amount", "amount_cue_end"), ("face_value", "face_cue_end"))
        if (match := pattern(name).search(before))
    }
    if cues:
        # 充值金额 is longer than the 金额 in it.
        slot = max(cues, key=lambda name: len(cues[name][0]))
        return start - len(cues[slot][0]), slot, end
    face, bought = pattern("face_after").match(sheet.mask, end), pattern("bought_after").match(sheet.mask, end)
    if face:
        return start, "face_value", face.end()
    if bought:
        return start, "amount", bought.end()
    return start, "", end


def _denominated(sheet: Sheet, lexicon: Lexicon, start: int, end: int) -> bool:
    mask = sheet.mask
    gap = pattern("adjacent_gap").match(mask, end)
    here = gap.end() if gap else end
    if here < len(mask) and mask[here] in THINGS and _run(sheet, lexicon, here):
        return True
    before = re.search(f"{pattern('adjacent_gap').pattern}$", mask[:start][-8:])
    here = start - (len(before[0]) if before else 0)
    return bool(here and mask[here - 1] in THINGS and _run(sheet, lexicon, here - 1))


def _run(sheet: Sheet, lexicon: Lexicon, inside: int) -> bool:
    """Whether the run of product, category and variant words around `inside` has a denomination."""
    left = right = inside
    while left and sheet.mask[left - 1] in THINGS + " ":
        left -= 1
    while right < len(sheet.mask) and sheet.mask[right] in THINGS + " ":
        right += 1
    for piece in sheet.having("product", "category", "variant"):
        if left <= piece.start < right:
            if piece.kind == "variant" and piece.value in data_json("words.json")["charging"]:
                return True
            if piece.kind == "category" and not piece.info.get("generic") and piece.value in lexicon.denominated:
                return True
            if piece.kind == "product" and piece.info.get("category") in lexicon.denominated:
                return True
    return False


def read_quantity(sheet: Sheet) -> None:
    """Consumes 买了3张, 3张 before a product, and 数量 with a comparator (§7)."""
    index = 0
    while index < len(sheet.mask):
        mask = sheet.mask
        found = scan(mask, index) if mask[index] < "\ue000" else None
        if not found or found.unit:
            index = found.end if found else index + 1
            continue
        _quantity(sheet, index, found)
        index = max(index + 1, found.end)


def _quantity(sheet: Sheet, index: int, found: Amount) -> bool:
    mask = sheet.mask
    unit = pattern("quantity_unit").match(mask, found.end)
    number_end = found.end
    if unit:
        found.end = unit.end()
    start, end, found, compared = measured(mask, index, found)
    tail = pattern("quantity_unit").match(mask, end)
    end = tail.end() if tail and not unit else end
    cue = pattern("quantity_cue_end").search(mask[max(0, start - CUE_WINDOW) : start])
    verb = pattern("buy_verb").search(mask[max(0, start - 8) : start])
    if cue:
        start -= len(cue[0])
    elif (
        not (unit or tail)
        or pattern("not_before").search(mask[max(0, start - 3) : start])
        or not (
            verb or pattern("product_ahead").match(mask, end) or (compared and pattern("piece").match(mask, number_end))
        )
    ):
        return False
    elif verb:
        start -= len(verb[0])
    value = bounds(found, 1)
    if value is None:
        sheet.note("number_too_large", text=sheet.raw_of(index, number_end)[:40])
        return False
    sheet.take(start, end, "quantity", "quantity", value)
    return True
