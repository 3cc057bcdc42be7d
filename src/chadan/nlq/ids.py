"""Order numbers, payment numbers, accounts and pieces of them (§3)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

from chadan.nlq.numbers import digits_of
from chadan.nlq.patterns import pattern
from chadan.nlq.sheet import Sheet

SUBJECTS = (("external_no", "cue_external"), ("order_no", "cue_order"), ("account", "cue_account"))
MAX_GROUP = 6
LONG_GROUP = 10
MIN_CUED = 4


def read_ids(sheet: Sheet) -> None:
    """Consumes every identifier of the utterance."""
    _secrets(sheet)
    _partials(sheet)
    _cued(sheet)
    _to_account(sheet)
    _uncued(sheet)


def _written(sheet: Sheet, start: int, end: int) -> str:
    return unicodedata.normalize("NFKC", sheet.raw_of(start, end)).replace(" ", "").strip()


def _secrets(sheet: Sheet) -> None:
    for match in list(pattern("cue_secret").finditer(sheet.mask)):
        sep = pattern("cue_sep").match(sheet.mask, match.end())
        start = sep.end() if sep else match.end()
        code = pattern("secret_code").match(sheet.mask, start)
        if (code and re.search(r"\d", code[0]) and (len(code[0]) >= 8 or "-" in code[0] or code[0].isdigit())) or (
            code and "-" in code[0]
        ):
            sheet.cover(match.start(), start)
            sheet.take(start, code.end(), "text", "text", sheet.raw_of(start, code.end()))


def _cues(sheet: Sheet) -> Iterator[tuple[str, re.Match[str]]]:
    """Cues with their slot, the longest at each place."""
    index, mask = 0, sheet.mask
    while index < len(mask):
        best: tuple[str, re.Match[str]] | None = None
        for slot, name in SUBJECTS:
            match = pattern(name).match(mask, index)
            if match and (best is None or match.end() > best[1].end()):
                best = slot, match
        if best:
            yield best
            index = best[1].end()
        else:
            index += 1


def _cued(sheet: Sheet) -> None:
    for slot, cue in list(_cues(sheet)):
        if not sheet.free(cue.start(), cue.end()):
            continue
        sep = pattern("cue_sep").match(sheet.mask, cue.end())
        start = sep.end() if sep else cue.end()
        tokens, end = _tokens(sheet, start, account=slot == "account", letters=not cue[0].isascii())
        if tokens:
            sheet.take(cue.start(), end, "id", slot, {"equals": tokens})


def _tokens(sheet: Sheet, start: int, *, account: bool, letters: bool) -> tuple[list[str], int]:
    code = pattern("account_code" if account else "code")
    groups: list[tuple[int, int, bool]] = []
    here = start
    while True:
        match = code.match(sheet.mask, here)
        if not match or (
            not re.search(r"\d", match[0]) and (groups or not (letters or re.search(r"[_@.-]", match[0])))
        ):
            break
        spaced = bool(groups) and sheet.mask[groups[-1][1] : here].strip() == ""
        groups.append((here, match.end(), spaced))
        joiner = pattern("joiner").match(sheet.mask, match.end())
        if not joiner or joiner.end() == match.end():
            break
        here = joiner.end()
    if not groups:
        return [], start
    tokens: list[str] = []
    end = start
    short = all(last - first <= MAX_GROUP for first, last, _ in groups)
    for first, last, spaced in groups:
        text = _written(sheet, first, last)
        if spaced and short and not account:
            tokens[-1] += text
        elif tokens and len(text) < MIN_CUED:
            break
        else:
            tokens.append(_account(text) if account else text)
        end = last
    if len(tokens[0]) < MIN_CUED:
        return [], start
    return list(dict.fromkeys(tokens)), end


def _account(text: str) -> str:
    phone = re.fullmatch(r"(?:\+?0{0,2}86-?)?(1[3-9]\d)-?(\d{4})-?(\d{4})", text)
    return "".join(phone.groups()) if phone else text


def _to_account(sheet: Sheet) -> None:
    for name in ("given_to", "filled_to"):
        for match in list(pattern(name).finditer(sheet.mask)):
            token = _written(sheet, match.start("token"), match.end("token"))
            if len(token) >= MIN_CUED and sheet.free(match.start(), match.end()):
                sheet.take(match.start(), match.end(), "id", "account", {"equals": [_account(token)]})


def _partials(sheet: Sheet) -> None:
    """Suffix, prefix and contained text, with the subject before or after."""
    for kind in ("suffix", "prefix"):
        for match in list(pattern(f"{kind}_cue").finditer(sheet.mask)):
            link = pattern("part_link").match(sheet.mask, match.end())
            value = pattern("part_value").match(sheet.mask, link.end() if link else match.end())
            if value and sheet.free(match.start(), value.end()):
                _part(sheet, kind, match.start(), value.end(), value)
        after = pattern(f"{kind}_after")
        for value in list(pattern("part_value").finditer(sheet.mask)):
            tail = after.match(sheet.mask, value.end())
            if tail and sheet.free(value.start(), tail.end()):
                start = value.start()
                if start and pattern("by_word").match(sheet.mask, start - 1):
                    start -= 1
                _part(sheet, kind, start, tail.end(), value)
    for match in list(pattern("contains_cue").finditer(sheet.mask)):
        link = pattern("part_link").match(sheet.mask, match.end())
        value = pattern("part_value").match(sheet.mask, link.end() if link else match.end())
        if not value or not sheet.free(match.start(), value.end()) or not digits_of(value[0]):
            continue
        middle = pattern("contains_middle").match(sheet.mask, match.start())
        subject = _subject_before(sheet, match.start())
        behind = pattern("subject_after").match(sheet.mask, value.end())
        is_only = pattern("is_words").fullmatch(match[0]) and not middle
        if is_only or not (subject or middle or (behind and behind["subject"] and match[0] != "with")):
            continue
        _part(sheet, "contains", match.start(), value.end(), value)


def _subject_before(sheet: Sheet, end: int) -> tuple[str, int] | None:
    while end and pattern("subject_link").match(sheet.mask, end - 1):
        end -= 1
    window = max(0, end - 14)
    best: tuple[str, int] | None = None
    for slot, name in SUBJECTS:
        for match in pattern(name).finditer(sheet.mask, window, end):
            if match.end() == end and (best is None or match.start() < best[1]):
                best = slot, match.start()
    return best


def _part(sheet: Sheet, kind: str, start: int, end: int, value: re.Match[str]) -> None:
    text = digits_of(value[0]) or _written(sheet, value.start(), value.end())
    subject = _subject_before(sheet, start)
    slot = "account"
    if subject:
        slot, start = subject
    following = pattern("subject_after").match(sheet.mask, end)
    if following and following["subject"]:
        end = following.end()
        if not subject:
            slot = next((s for s, name in SUBJECTS if pattern(name).fullmatch(following["subject"])), "account")
    sheet.take(start, end, "id", slot, {kind: text})


def _uncued(sheet: Sheet) -> None:
    for match in list(pattern("email").finditer(sheet.mask)):
        sheet.take(
            match.start(), match.end(), "id", "account", {"equals": [_written(sheet, match.start(), match.end())]}
        )
    for match in list(pattern("masked").finditer(sheet.mask)):
        sheet.take(match.start(), match.end(), "id", "account", {"prefix": match["head"], "suffix": match["tail"]})
    for match in list(pattern("joined_digits").finditer(sheet.mask)):
        plain = re.sub(r"[ -]", "", match[0])
        if pattern("mobile").fullmatch(match[0]) or not _spaced_date(match[0]):
            slot = _shape(plain) if not pattern("mobile").match(sheet.mask, match.start()) else None
            if slot in ("order_no", "external_no") and " " in match[0] and not re.search(r"\d{5,}", match[0]):
                sheet.take(match.start(), match.end(), "id", slot, {"equals": [plain]})
    for match in list(pattern("mobile").finditer(sheet.mask)):
        number = re.sub(r"[ -]", "", match["mobile"])
        sheet.take(match.start(), match.end(), "id", "account", {"equals": [number]})
    for match in list(pattern("run").finditer(sheet.mask)):
        slot = _shape(match[0].strip("-_"))
        if slot:
            sheet.take(
                match.start(), match.end(), "id", slot, {"equals": [_written(sheet, match.start(), match.end())]}
            )


def _spaced_date(text: str) -> bool:
    return bool(re.match(r"20\d\d-\d{1,2}(?:-\d{1,2})?(?!\d)", text))


def _shape(text: str) -> str | None:
    """The slot a bare token has by its shape; None when it is no identifier (§3.2)."""
    if text.isdigit():
        if len(text) == 28 and (text.startswith("4200") or (text[8:12] == "2200" and is_date(text[:8]))):
            return "external_no"
        if (len(text) == 8 and is_date(text)) or len(text) < 7:
            return None
        if len(text) <= 11:
            return "account"
        return "order_no" if len(text) <= 32 else None
    if _spaced_date(text):
        return None
    digits = sum(character.isdigit() for character in text)
    if len(text) >= 8 and digits >= 6:
        if re.fullmatch(r"[\d-]+", text):
            plain = text.replace("-", "")
            return "order_no" if len(plain) >= 12 and not re.search(r"20\d\d-?\d\d-?\d\d-?20\d\d", text) else None
        return "order_no"
    return None


def is_date(text: str) -> bool:
    """Whether eight digits are a day of the years 2000–2099."""
    if not text.startswith("20"):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return True
