"""Which typed texts name a person or one order, and so are not kept."""

from __future__ import annotations

import re
import unicodedata

from chadan.search.grammar_words import KEY_OF

_ONE_THING = re.compile(r"[\s\d*#+()./:-]*\d[\s\d*#+()./:-]*")
"""Digits and what people put between them: an order number, a phone number, its tail, a QQ."""
_ONE_CODE = re.compile(r"[a-z_-]{0,8}\d[\da-z_-]{4,}", re.IGNORECASE)
"""A code alone: an account, a payment number, a card."""
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)")
_LONG_NUMBER = re.compile(r"\d(?:[\s*]?\d){8,}")
"""Nine digits and more: dates have eight, and hyphens between."""
_MAIL = re.compile(r"\S@\S")
_KEYED = re.compile(r"([^\s:\"“”]+):")
_PERSONAL_KEYS = frozenset({"no", "ext", "account", "tail", "buyer"})


def is_personal(text: str) -> bool:
    """Whether a typed text holds what identifies somebody: a number alone, or a phone number, an e-mail address, a long
    number or a filter by account, number or buyer anywhere in it.

    A history is read over a shoulder, and its use is to ask the same question again: a number is asked once.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if _ONE_THING.fullmatch(plain) or _ONE_CODE.fullmatch(plain):
        return True
    if _MOBILE.search(plain) or _LONG_NUMBER.search(plain) or _MAIL.search(plain):
        return True
    return any(KEY_OF.get(key.lstrip("-").lower()) in _PERSONAL_KEYS for key in _KEYED.findall(plain))
