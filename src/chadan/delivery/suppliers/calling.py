"""What protocols share in asking and in reading answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from chadan.delivery.suppliers.base import SupplierConfig, SupplierRefused, SupplierUnreachable
from chadan.platform import http_call
from chadan.platform.http_call import Reply, Unreachable
from chadan.platform.peers import address_problems, missing, own_words
from chadan.platform.wording import gettext as _

_MOST_FEN = 10**12


class Connection:
    """A connection to one supplier's shop, and what it must have."""

    needed: ClassVar[Mapping[str, str]] = {}
    """What asks for each setting and secret without which nothing works, as msgids by name."""

    def __init__(self, config: SupplierConfig) -> None:
        self.config = config

    def problems(self) -> list[str]:
        """What is missing or unsafe, in sentences; none for a sound connection."""
        url, given = self.config.base_url, {**self.config.settings, **self.config.secrets}
        sentences = {name: _(msgid) for name, msgid in self.needed.items()}
        address = (
            address_problems(url) if url else (_("Enter the supplier's address, such as https://shop.example.com."),)
        )
        return [*address, *missing(given, sentences)]

    def secret(self, name: str) -> str:
        """A needed secret. Raises SupplierRefused: a connection that has none does not even ask."""
        found = self.config.secrets.get(name, "")
        if not found:
            raise SupplierRefused(_(self.needed[name]))
        return found


def call(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, may_refuse: bool = False
) -> Reply:
    """One request. Raises SupplierUnreachable for no answer and for a server's error, whose outcome nobody knows.

    Other statuses than 2xx are returned only with `may_refuse`; they raise SupplierUnreachable otherwise.
    """
    try:
        reply = http_call.call(method, url, body=body, headers=headers)
    except Unreachable as error:
        raise SupplierUnreachable(error.message, sent=error.sent) from error
    if reply.status // 100 != 2 and not (may_refuse and reply.status // 100 == 4):
        raise SupplierUnreachable(_("The supplier answered with status %(status)s.") % {"status": reply.status})
    return reply


def json_object(reply: Reply) -> dict[str, Any]:
    """The answer's JSON object. Raises SupplierUnreachable for anything else."""
    try:
        found = json.loads(reply.body)
    except ValueError as error:
        raise unreadable() from error
    if not isinstance(found, dict):
        raise unreadable()
    return found


def objects(value: object) -> list[dict[str, Any]]:
    """A list of JSON objects; nothing for null. Raises SupplierUnreachable for anything else."""
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise unreadable()
    return found


def unreadable() -> SupplierUnreachable:
    """The error of an answer nobody understands."""
    return SupplierUnreachable(_("The supplier's answer cannot be read."))


def refused(words: object, config: SupplierConfig) -> SupplierRefused:
    """The supplier's own words as an error, without our secrets should it repeat them."""
    return SupplierRefused(own_words(words, config.secrets))


def fen(value: object) -> int | None:
    """Yuan, a number or a text, as fen rounded half up; None for nothing. Raises SupplierUnreachable for nonsense."""
    if value is None or value == "":
        return None
    try:
        found = int((Decimal(str(value)) * 100).quantize(Decimal(1), "ROUND_HALF_UP"))
    except (InvalidOperation, ValueError) as error:
        raise unreadable() from error
    if not 0 <= found < _MOST_FEN:
        raise unreadable()
    return found


def count(value: object) -> int | None:
    """Pieces; None when nobody says how many."""
    try:
        found = int(str(value))
    except ValueError:
        return None
    return min(found, 10**9) if found >= 0 else None


def lines(text: object) -> tuple[str, ...]:
    """Cards, one a line."""
    return tuple(line.strip() for line in str(text or "").replace("\r", "").split("\n") if line.strip())
