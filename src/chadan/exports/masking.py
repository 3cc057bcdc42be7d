"""Hiding the middle of accounts and contacts: `138****8000`, `li****@qq.com`."""

from __future__ import annotations

from collections.abc import Sequence

_LONG, _MIDDLING = 11, 6


def mask(contact: str) -> str:
    """`contact` with its middle hidden; nothing stays of short ones but the first character."""
    if not contact:
        return ""
    name, at, domain = contact.partition("@")
    if at and domain:
        return f"{name[: 2 if len(name) > 2 else 1]}****@{domain}"
    if len(contact) >= _LONG:
        return f"{contact[:3]}****{contact[-4:]}"
    if len(contact) >= _MIDDLING:
        return f"{contact[:2]}****{contact[-2:]}"
    return f"{contact[0]}****"


def mask_all(contacts: Sequence[str | None]) -> list[str | None]:
    """`mask` of each; None stays None. What holds no @, nearly everything, is cut in place."""
    return [
        one and mask(one)
        if not one or "@" in one
        else f"{one[:3]}****{one[-4:]}"
        if (length := len(one)) >= _LONG
        else f"{one[:2]}****{one[-2:]}"
        if length >= _MIDDLING
        else f"{one[0]}****"
        for one in contacts
    ]
