"""Card lists people send: text with a card a line, CSV, or a spreadsheet (read under limits in a process of its own)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chadan.integrations.tables import detect_encoding, records
from chadan.platform.errors import InvalidInput
from chadan.platform.wording import gettext as _
from chadan.platform.wording import gettext_noop

LONGEST = 2000
"""Characters of one card: an account with its password, recovery mail and notes is far below."""
_SECRETS = frozenset(
    {"card", "code", "secret", "key", "password", "cdk", "卡密", "密码", "激活码", "兑换码", "卡密内容"}
)
_NUMBERS = frozenset({"number", "account", "卡号", "账号", "帐号"})
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Line:
    """A card and its line in the list, or why that line is none (an English sentence, translated where it is shown)."""

    line: int
    card: str
    problem: str = ""


def from_text(text: str) -> Iterator[Line]:
    """A card a line; empty lines are skipped."""
    for place, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if card := raw.strip():
            yield checked(place, card)


def from_file(path: Path) -> Iterator[Line]:
    """The cards of a .txt, .csv or .xlsx file. Raises InvalidInput for another kind, or a file that cannot be read."""
    suffix = path.suffix.lower()
    if suffix == ".txt":
        text = path.read_bytes().decode(detect_encoding(path), "replace")
        return from_text(text)
    if suffix in (".csv", ".xlsx"):
        return _from_table(records(path))
    raise InvalidInput(_("Card lists are .txt, .csv or .xlsx files."), field="file")


def checked(line: int, card: str, problem: str = "") -> Line:
    """The line, or why it is no card."""
    if not problem and len(card) > LONGEST:
        problem = gettext_noop("longer than 2,000 characters")
    if not problem and ("\ufffd" in card or _CONTROL.search(card)):
        problem = gettext_noop("its characters are damaged")
    return Line(line, card, problem)


def _from_table(rows: Iterable[tuple[int, list[str], str]]) -> Iterator[Line]:
    """The column headed as a secret (with the number beside it, if there is one); without such a head every cell counts."""
    pick: tuple[int | None, int] | None = None
    for place, (line, values, problem) in enumerate(rows):
        if place == 0 and (pick := _columns(values)):
            continue
        if problem:
            yield checked(line, "", problem)
        elif card := _joined(values, pick):
            yield checked(line, card)


def _columns(head: list[str]) -> tuple[int | None, int] | None:
    words = [word.strip().casefold() for word in head]
    secret = next((place for place, word in enumerate(words) if word in _SECRETS), None)
    if secret is None:
        return None
    return next((place for place, word in enumerate(words) if word in _NUMBERS), None), secret


def _joined(values: list[str], pick: tuple[int | None, int] | None) -> str:
    if pick is None:
        return " ".join(value.strip() for value in values if value.strip())
    number, secret = pick
    card = values[secret].strip() if secret < len(values) else ""
    if card and number is not None and number < len(values) and (account := values[number].strip()):
        return f"卡号：{account} 卡密：{card}"
    return card
