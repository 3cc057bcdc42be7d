"""Typo repair (§2)."""

from __future__ import annotations

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.sheet import Sheet


def repair(sheet: Sheet, lexicon: Lexicon) -> None:
    """Repairs."""
