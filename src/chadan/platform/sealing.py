"""Secrets in the database that are not cards: gateway and supplier keys, sealed by the key outside the database.

AES-256-GCM under a key derived from the key-encryption key (HKDF-SHA256); the associated data binds a secret to the row it
belongs to, so it does not open anywhere else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chadan.platform.config import get_config
from chadan.platform.errors import ChadanError

NONCE = 12


class SealBroken(ChadanError):
    """A sealed value was changed, moved to another row, or sealed by another key file."""

    code = "seal_broken"
    status = 500


def seal(place: str, values: Mapping[str, str]) -> bytes:
    """Encrypts `values` for one place, such as "payment_channel/7"."""
    nonce = os.urandom(NONCE)
    return nonce + _cipher().encrypt(nonce, json.dumps(dict(values)).encode(), place.encode())


def reseal(place: str, sealed: bytes, kek: bytes) -> bytes:
    """The same values sealed under another key-encryption key; nothing stays nothing. Raises SealBroken."""
    if not sealed:
        return b""
    nonce = os.urandom(NONCE)
    values = json.dumps(unseal(place, sealed)).encode()
    return nonce + _cipher(kek).encrypt(nonce, values, place.encode())


def unseal(place: str, sealed: bytes) -> dict[str, str]:
    """What was sealed for this place; {} for nothing. Raises SealBroken."""
    if not sealed:
        return {}
    try:
        opened = _cipher().decrypt(bytes(sealed[:NONCE]), bytes(sealed[NONCE:]), place.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(
            "A stored secret does not open with this key file.",
            hint="Restore the file named by CHADAN_KEK_FILE, or enter the secret again.",
        ) from error
    values: dict[str, str] = json.loads(opened)
    return values


def _cipher(kek: bytes | None = None) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"chadan/sealing/v1").derive(kek or get_config().kek)
    return AESGCM(derived)
