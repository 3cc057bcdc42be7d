"""Names and passwords for tests; needs no Django."""

from __future__ import annotations

import itertools
import secrets

PASSWORD = "correct horse 4711"
PHONE = "13812345678"
_COUNT = itertools.count(1)


def unique(word: str) -> str:
    """A name no other test uses."""
    return f"{word}{next(_COUNT)}{secrets.token_hex(3)}"
