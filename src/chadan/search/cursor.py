"""The opaque cursor of a page: where it ended, bound to its query, sort, view and scope."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

import msgspec

from chadan.platform.errors import InvalidQuery
from chadan.platform.scope import Scope
from chadan.search.order_query import OrderQuery
from chadan.search.wording import say

_MAX = 200


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last order of a page (the first, when `back`), and how many orders the pages before it showed."""

    order_no: int
    value: int | None = None
    """The sort value: fen, or microseconds since 1970 for a time; None when there is none."""
    back: bool = False
    seen: int = 0


def _binding(scope: Scope, query: OrderQuery, view: str | None) -> bytes:
    whose = "operator" if scope.operator else f"{scope.buyer} {sorted(scope.merchants)}"
    return hashlib.blake2b(f"{query.fingerprint()} {view or ''} {whose}".encode(), digest_size=6).digest()


def encode(cursor: Cursor, scope: Scope, query: OrderQuery, view: str | None = None) -> str:
    """The cursor as URL-safe text."""
    parts = (_binding(scope, query, view), cursor.order_no, cursor.value, cursor.back, cursor.seen)
    body = msgspec.msgpack.encode(parts)
    check = hashlib.blake2b(body, digest_size=4).digest()
    return base64.urlsafe_b64encode(check + body).decode().rstrip("=")


def decode(text: str, scope: Scope, query: OrderQuery, view: str | None = None) -> Cursor:
    """The cursor behind `text`. Raises InvalidQuery when it is damaged or belongs to another query or scope."""
    try:
        if len(text) > _MAX:
            raise ValueError("too long")
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        check, body = raw[:4], raw[4:]
        if hashlib.blake2b(body, digest_size=4).digest() != check:
            raise ValueError("checksum")
        binding, order_no, value, back, seen = msgspec.msgpack.decode(
            body, type=tuple[bytes, int, int | None, bool, int]
        )
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise InvalidQuery(
            say("The page cursor is damaged; start again from the first page."), field="cursor"
        ) from error
    if binding != _binding(scope, query, view):
        raise InvalidQuery(
            say("The page cursor belongs to another search; start again from the first page."), field="cursor"
        )
    return Cursor(order_no, value, back, seen)
