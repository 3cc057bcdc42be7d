"""A trie over folded aliases: the longest alias at a place of the text."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Trie(Generic[Value]):
    """Aliases and what they stand for. Built once, then only read."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def add(self, alias: str, value: Value) -> None:
        """Puts an alias in; a later one replaces an earlier one."""
        node = self._root
        for character in alias:
            node = node.setdefault(character, {})
        node[""] = value

    def longest(self, text: str, index: int) -> tuple[int, Value] | None:
        """The end and the value of the longest alias at `index`, on the borders of ASCII words."""
        node, best, here, size = self._root, None, index, len(text)
        if index >= size or (index and _joined(text[index - 1], text[index])):
            return None
        while here < size:
            step = node.get(text[here])
            if step is None:
                break
            node = step
            here += 1
            if "" in node and not (here < size and _joined(text[here - 1], text[here])):
                best = here, node[""]
        return best


def _joined(left: str, right: str) -> bool:
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()
