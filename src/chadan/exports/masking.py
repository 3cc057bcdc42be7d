"""Hiding the middle of accounts and contacts: `138****8000`, `li****@qq.com`."""

from __future__ import annotations


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
