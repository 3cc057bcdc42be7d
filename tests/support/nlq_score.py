"""Exact match of order queries, as the specification scores it (§15)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data" / "nlq"
IDS = ("order_no", "external_no", "account")
DEFAULTS = {"intent": "list", "metric": "amount"}


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of one file: id, kind, q, now, want."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() if line]


def plain(text: object) -> str:
    """A text as it is compared."""
    return unicodedata.normalize("NFKC", str(text)).strip().casefold()


def _words(text: object) -> str:
    return re.sub(r"[^0-9a-z\u3400-\u9fff]+", "", plain(text))


def same_text(left: str, right: str) -> bool:
    """Whether two texts are equal, or their character pairs are alike by Dice of 0.7 at least."""
    a, b = _words(left), _words(right)
    if a == b or not a or not b:
        return a == b
    pairs, pool = ([text[i : i + 2] for i in range(len(text) - 1)] or [text] for text in (a, b))
    size, hits = len(pairs) + len(pool), 0
    for pair in pairs:
        if pair in pool:
            pool.remove(pair)
            hits += 1
    return 2 * hits / size >= 0.7


def _canonical(value: Any) -> Any:
    if isinstance(value, list):
        return sorted({plain(item) for item in value})
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items() if item not in (None, "", [], {})}
    return plain(value) if isinstance(value, str) else value


def wrong_slots(want: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """The slots in which two queries differ."""
    sides = []
    for query in (want, got):
        side = {name: _canonical(value) for name, value in query.items() if value != DEFAULTS.get(name)}
        if side.get("intent", "list") in ("list", "count"):
            side.pop("metric", None)
        sides.append(side)
    left, right = sides
    return [
        name
        for name in sorted({*left, *right})
        if not (
            same_text(left.get(name, ""), right.get(name, "")) if name == "text" else left.get(name) == right.get(name)
        )
    ]


def table(rows: list[dict[str, Any]], wrong: dict[str, list[str]]) -> Iterator[str]:
    """Lines `kind right/all` for the kinds of a file, and the total."""
    kinds = sorted({row["kind"] for row in rows})
    for kind in kinds:
        of_kind = [row for row in rows if row["kind"] == kind]
        yield f"{kind} {sum(row['id'] not in wrong for row in of_kind)}/{len(of_kind)}"
    yield f"all {len(rows) - len(wrong)}/{len(rows)}"
