"""Lookup codes: what a guest shows to see an order again. Stored hashed, like passwords."""

from __future__ import annotations

import unicodedata
from functools import cache

from django.utils.crypto import salted_hmac

from chadan.accounts.hashers import Argon2Hasher

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0 O, 1 I L: what people read aloud and type from paper."""
MADE = 8
SHORTEST, LONGEST = 4, 32
_HASHER = Argon2Hasher()


def made_code(token: str) -> str:
    """Eight characters that follow from a checkout's token and the site's secret key: the second click of a double click
    shows the code of the first.
    """
    number = int.from_bytes(salted_hmac("chadan.storefront.codes", token, algorithm="sha256").digest(), "big")
    characters = []
    for _ in range(MADE):
        number, place = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[place])
    return "".join(characters)


def normal(code: str) -> str:
    """A code as it is compared: width, case, spaces and hyphens do not matter."""
    plain = unicodedata.normalize("NFKC", code).casefold()
    return "".join(character for character in plain if not character.isspace() and character != "-")


def hash_code(code: str) -> str:
    """The code as it is stored."""
    return _HASHER.encode(normal(code), _HASHER.salt())


def matches(code: str, stored: str) -> bool:
    """Whether `code` is the one behind `stored`; "" (no order, or no code) costs the same and is False."""
    right = _HASHER.verify(normal(code)[: LONGEST * 2], stored or _nobody())
    return right and bool(stored)


@cache
def _nobody() -> str:
    return hash_code("nobody's code")
