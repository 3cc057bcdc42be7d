"""Hiding the middle of accounts and contacts: `138****8000`, `li****@qq.com`."""

from __future__ import annotations

from collections.abc import Sequence

_PHONE = 11


def mask(contact: str) -> str:
    """`contact` with its middle hidden; nothing stays of short ones but the first character."""
    if not contact:
        return ""
    name, at, domain = contact.partition("@")
    if at and domain:
        return f"{name[: 2 if len(name) > 2 else 1]}****@{domain}"
    if len(contact) >= 11:
        return f"{contact[:3]}****{contact[-4:]}"
    if len(contact) >= 6:
        return f"{contact[:2]}****{contact[-2:]}"
    return f"{contact[0]}****"


def mask_all(contacts: Sequence[str | None]) -> list[str | None]:
    """`mask` of each; None stays None. Phone numbers, which most accounts are, take the short way."""
    return [
        f"{one[:3]}****{one[-4:]}" if one and len(one) == _PHONE and "@" not in one else one and mask(one)
        for one in contacts
    ]
