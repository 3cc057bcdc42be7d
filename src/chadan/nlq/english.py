"""English questions (§14)."""

from __future__ import annotations

from chadan.nlq.sheet import Sheet


def to_chinese(sheet: Sheet) -> None:
    """Rewrites."""
