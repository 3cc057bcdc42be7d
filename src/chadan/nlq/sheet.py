"""The working copy of one utterance: normalised text, what is already consumed, and the pieces found so far.

`mask` is the text in which every consumed character is replaced by one private-use character naming its kind, so that a
later pattern neither sees consumed text nor reaches across it, yet can ask what stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "text": "\ue000",
    "id": "\ue001",
    "time": "\ue002",
    "event": "\ue003",
    "status": "\ue004",
    "aftersale": "\ue005",
    "person": "\ue006",
    "tag": "\ue007",
    "payment": "\ue008",
    "platform": "\ue009",
    "product": "\ue00a",
    "category": "\ue00b",
    "variant": "\ue00c",
    "money": "\ue00d",
    "quantity": "\ue00e",
    "intent": "\ue00f",
    "group": "\ue010",
    "order": "\ue011",
    "role": "\ue012",
    "noise": "\ue013",
    "member": "\ue014",
}
NAMES = {code: name for name, code in KINDS.items()}


@dataclass(slots=True)
class Piece:
    """One stretch `[start, end)` of the normalised text that became a slot's value."""

    start: int
    end: int
    kind: str
    slot: str
    value: Any
    negated: bool = False
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Sheet:
    """`text` is normalised and lower-cased, `where[i]` is the raw index of its i-th character (one more at the end)."""

    raw: str
    text: str
    where: list[int]
    mask: str = ""
    pieces: list[Piece] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    words: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mask = self.mask or self.text

    def take(self, start: int, end: int, kind: str, slot: str, value: Any, **info: Any) -> Piece:
        """Consumes `[start, end)` for a slot."""
        self.cover(start, end, kind)
        piece = Piece(start, end, kind, slot, value, info=info)
        self.pieces.append(piece)
        return piece

    def cover(self, start: int, end: int, kind: str = "noise") -> None:
        """Consumes `[start, end)` without a value."""
        self.mask = self.mask[:start] + KINDS[kind] * (end - start) + self.mask[end:]

    def free(self, start: int, end: int) -> bool:
        """Whether nothing in `[start, end)` is consumed."""
        return self.mask[start:end] == self.text[start:end]

    def note(self, code: str, **values: Any) -> None:
        """Records something the asker should be told."""
        self.notes.append({"code": code, **values})

    def raw_of(self, start: int, end: int) -> str:
        """The raw text behind `[start, end)`."""
        return self.raw[self.where[start] : self.where[end]]

    def having(self, *kinds: str) -> list[Piece]:
        """The pieces of these kinds, in the order of the text."""
        return sorted((piece for piece in self.pieces if piece.kind in kinds), key=lambda piece: piece.start)
