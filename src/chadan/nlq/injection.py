"""Injection markers: from a marker to the end the query is text, verbatim and unparsed (§13)."""

from __future__ import annotations

from chadan.nlq.patterns import pattern
from chadan.nlq.sheet import Sheet


def cut_injection(sheet: Sheet) -> None:
    """Consumes from the first marker to the end. A marker in words begins with its clause."""
    start = len(sheet.text)
    for name in ("sql_marker", "code_marker", "command_marker"):
        match = pattern(name).search(sheet.text)
        if match:
            start = min(start, match.start())
    if start < len(sheet.text):
        raw = sheet.raw[sheet.where[start] :].strip()
        sheet.take(start, len(sheet.text), "text", "text", raw, verbatim=True)
        sheet.note("not_parsed", text=raw[:80])
