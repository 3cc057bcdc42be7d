"""Standard Webhooks (standardwebhooks.com): `v1,base64(HMAC-SHA256(secret, id.timestamp.body))`, a secret is `whsec_` and Base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

PREFIX = "whsec_"
WINDOW_SECONDS = 300


def new_secret() -> str:
    """A signing secret of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    """The `webhook-signature` of a message. Raises ValueError for a secret that is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ and Base64") from error
    signed = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed).decode()


def verified(secret: str, headers: Mapping[str, str], body: bytes, at: float) -> bool:
    """Whether one of the message's signatures is right and its time within five minutes of `at` (header names lower-case)."""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not stamp.isdecimal() or len(stamp) > 12 or abs(at - int(stamp)) > WINDOW_SECONDS:
        return False
    try:
        right = signature(secret, message_id, stamp, body).encode()
    except ValueError:
        return False
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(right, each.encode()) for each in given)
