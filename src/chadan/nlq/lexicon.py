"""The lexicon: which words are products, categories, variants, payment methods, platforms and, from a shop, people (§9)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from chadan.nlq.normalise import fold
from chadan.nlq.patterns import data_json, pattern
from chadan.nlq.trie import Trie

SHOP_SLOTS = ("product", "variant", "platform", "buyer", "merchant", "agent", "supplier", "tag", "category")
MIN_CHINESE = 2
MIN_ASCII = 2


class Term(NamedTuple):
    """What an alias stands for: the slot, the value written into it, and a product's category."""

    slot: str
    value: str
    category: str | None = None


ShopTerm = tuple[str, str, str, str | None]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Aliases as a trie, and the words typo repair compares with. Immutable; `with_shop` gives a larger one."""

    terms: Mapping[str, Term]
    durations: Mapping[str, str]
    denominated: frozenset[str]
    base_words: Mapping[str, str]
    trie: Trie[Term] = field(default_factory=Trie)
    kept_whole: Trie[Term] = field(default_factory=Trie)
    repairs: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    @cache
    def seed() -> Lexicon:
        """The built-in lexicon."""
        return Lexicon.from_data(data_json("lexicon.json"))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Lexicon:
        """A lexicon from the data file's form."""
        terms: dict[str, Term] = {}
        for method, words in data["payment_words"].items():
            terms.update((fold(word), Term("payment_method", method)) for word in words)
        for name, words in data["platform_words"].items():
            terms.update((fold(word), Term("platform", name)) for word in (name, *words))
        for name, words in data["variant_words"].items():
            terms.update((fold(word), Term("variant", name)) for word in (name, *words))
        for word in data["generic_member_words"]:
            terms[fold(word)] = Term("member", word)
        for category, words in data["category_words"].items():
            terms.update((fold(word), Term("category", category)) for word in words)
        for product in data["products"]:
            term = Term("product", product["name"], product["category"])
            terms.update((fold(word), term) for word in (product["name"], *product["aliases"]))
        return cls._built(
            terms,
            {fold(word): value for word, value in data["duration_before_member_word"].items()},
            frozenset(data["denominated_categories"]),
            data_json("words.json")["category_base"],
        )

    @classmethod
    def _built(
        cls,
        terms: Mapping[str, Term],
        durations: Mapping[str, str],
        denominated: frozenset[str],
        base: Mapping[str, str],
    ) -> Lexicon:
        lexicon = cls(terms, durations, denominated, base)
        for alias, term in terms.items():
            lexicon.trie.add(alias, term)
            if pattern("kept_card" if term.slot in ("variant", "category", "member") else "kept_whole").search(alias):
                lexicon.kept_whole.add(alias, term)
        return lexicon

    def term(self, alias: str) -> Term | None:
        """What `alias` stands for; None when the lexicon does not know it."""
        return self.terms.get(fold(alias))

    def with_shop(self, terms: Iterable[ShopTerm]) -> Lexicon:
        """This lexicon with a shop's words on top: (alias, slot, canonical, category or None).

        A shop's word overrides a seed word with the same alias. Names shorter than two characters, and names that are
        themselves a time, a status or a filler word, are left out (they would be read into every sentence).
        """
        merged = dict(self.terms)
        for alias, slot, canonical, category in terms:
            folded = fold(alias)
            if slot in SHOP_SLOTS and _indexable(folded) and canonical:
                merged[folded] = Term(slot, canonical, category)
        return self._built(merged, self.durations, self.denominated, self.base_words)


def _indexable(alias: str) -> bool:
    if len(alias) < (MIN_ASCII if alias.isascii() else MIN_CHINESE) or len(alias) > 60 or alias.isdigit():
        return False
    if not re.search(r"[0-9a-z\u3400-\u9fff]", alias):
        return False
    return not pattern("stop_alias").fullmatch(alias)
