"""Hiding the middle of accounts and contacts: `138****8000`, `li****@qq.com`. SQL and Python agree (tested)."""

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


def mask_sql(text: str) -> str:
    """SQL that does the same to the text expression `text`. Percent signs need no escape: there are none."""
    at = f"strpos({text}, '@')"
    return (
        f"case when {text} = '' then ''"
        f" when {at} > 0 and {at} < char_length({text})"
        f" then left({text}, case when {at} > 3 then 2 when {at} > 1 then 1 else 0 end) || '****' || substr({text}, {at})"
        f" when char_length({text}) >= 11 then left({text}, 3) || '****' || right({text}, 4)"
        f" when char_length({text}) >= 6 then left({text}, 2) || '****' || right({text}, 2)"
        f" else left({text}, 1) || '****' end"
    )
