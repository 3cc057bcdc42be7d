"""The parser against sentences with their expected queries."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.support.nlq_score import cases, table, wrong_slots

from chadan.nlq.reading import query_of, read

LEAST = 0.98


@pytest.mark.parametrize("name", ["dev", "phrasings", "phrasings_more"])
def test_at_least_98_in_100_are_exactly_right(name: str) -> None:
    rows = cases(name)
    got = {row["id"]: read(row["q"], now=datetime.fromisoformat(row["now"])).got for row in rows}
    wrong = {row["id"]: bad for row in rows if (bad := wrong_slots(row["want"], got[row["id"]]))}
    told = [f"{row['id']} {row['q']} {wrong[row['id']]}" for row in rows if row["id"] in wrong]
    assert 1 - len(wrong) / len(rows) >= LEAST, "\n".join([*told, *table(rows, wrong)])


@pytest.mark.parametrize("name", ["dev", "phrasings", "phrasings_more"])
def test_every_reading_is_a_query_that_can_be_run(name: str) -> None:
    for row in cases(name):
        query_of(read(row["q"], now=datetime.fromisoformat(row["now"])).got)
