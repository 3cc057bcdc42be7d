"""What gateways sign and how: the sorted string, MD5 with a shared key, RSA with SHA-256.

The string to sign (epay, Alipay): fields that have a value, without `sign` and `sign_type`, sorted by name in ASCII order, `name=value` joined by `&`,
nothing encoded. Epay V1 appends the key, bare or as `&key=` (a dialect), and takes the lower-case MD5; epay V2 and Alipay sign with RSA-SHA256 in Base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Mapping
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

UNSIGNED = ("sign", "sign_type")
SHORTEST_RSA = 2048


class BadKey(ValueError):
    """A key that cannot be used; the text says why and shows nothing of it."""


class Join(StrEnum):
    """How epay V1 appends the key to the string."""

    BARE = "bare"  # …type=alipayKEY
    NAMED = "named"  # …type=alipay&key=KEY


def string_to_sign(fields: Mapping[str, str], without: Collection[str] = UNSIGNED) -> str:
    """The sorted string of the fields that have a value."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name not in without and fields[name] != "")


def md5_sign(fields: Mapping[str, str], key: str, join: Join = Join.BARE) -> str:
    """Epay V1's signature. Raises BadKey for no key: a signature without one proves nothing."""
    if not key:
        raise BadKey("the key is empty")
    glue = "&key=" if join is Join.NAMED else ""
    return hashlib.md5(f"{string_to_sign(fields)}{glue}{key}".encode(), usedforsecurity=False).hexdigest()


def md5_verified(fields: Mapping[str, str], key: str, join: Join = Join.BARE) -> bool:
    """Whether the fields' `sign` is theirs, compared in constant time. Never true without a key."""
    claimed = fields.get("sign", "").lower().encode()
    return bool(key) and hmac.compare_digest(md5_sign(fields, key, join).encode(), claimed)


def rsa_sign(key: RSAPrivateKey, message: str) -> str:
    """RSA-SHA256 (PKCS #1 v1.5) of the message, in Base64."""
    return base64.b64encode(key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def rsa_verified(key: RSAPublicKey, message: str, signature: str) -> bool:
    """Whether the Base64 signature is the key owner's for the message."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def private_key(written: str, *, check: bool = False) -> RSAPrivateKey:
    """A private key as PEM or as bare Base64 (PKCS #8 or PKCS #1), as gateways hand them out. Raises BadKey.

    `check` proves that its parts belong together, which takes longer than signing: done once, when the channel is judged.
    """
    raw = written.strip().encode()
    try:
        if raw.startswith(b"-----"):
            key = serialization.load_pem_private_key(raw, None, unsafe_skip_rsa_key_validation=not check)
        else:
            key = serialization.load_der_private_key(_der(raw), None, unsafe_skip_rsa_key_validation=not check)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey("it is no private key without a password") from error
    if not isinstance(key, RSAPrivateKey):
        raise BadKey("it is no RSA key")
    return key


def public_key(written: str) -> RSAPublicKey:
    """A public key as PEM, certificate or bare Base64. Raises BadKey, also for a private key."""
    raw = written.strip().encode()
    key: object
    try:
        if raw.startswith(b"-----BEGIN CERTIFICATE"):
            key = x509.load_pem_x509_certificate(raw).public_key()
        elif raw.startswith(b"-----"):
            key = serialization.load_pem_public_key(raw)
        else:
            key = serialization.load_der_public_key(_der(raw))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey("it is no public key") from error
    if not isinstance(key, RSAPublicKey):
        raise BadKey("it is no RSA key")
    return key


def _der(raw: bytes) -> bytes:
    return base64.b64decode(b"".join(raw.split()), validate=True)


def same_key(private: RSAPrivateKey, public: RSAPublicKey) -> bool:
    """Whether the two are one pair: the other side's key must not be our own."""
    return private.public_key().public_numbers() == public.public_numbers()
