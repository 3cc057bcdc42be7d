"""Whatever is typed, the parser answers, and with a query that the schema and the checker accept."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.nlq_score import cases

from chadan.nlq.reading import Reading, query_of, read

SCHEMA = json.loads((Path(__file__).parents[1] / "support" / "orderquery.schema.json").read_text(encoding="utf-8"))
VALID = jsonschema.Draft202012Validator(SCHEMA)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2039, 12, 31))  # noqa: DTZ001 - the parser takes local times
NOW = datetime(2025, 3, 12, 10, 30)  # noqa: DTZ001 - the parser takes local times
ODD = [
    "32号",
    "13月",
    "2月31号",
    "25:99",
    "99点",
    "①",
    "½",
    "𝟙",
    "万亿",
    "亿亿亿",
    "\0",
    "😀",
    "'; drop",
    "{{",
    "9" * 40,
]


@cache
def fragments() -> list[str]:
    found = {
        row["q"][start : start + size] for row in cases("phrasings") for size in (2, 4) for start in range(0, 12, 3)
    }
    return sorted(filter(None, found)) + ODD


def sound(text: str, now: datetime) -> Reading:
    reading = read(text, now=now)
    VALID.validate(reading.got)
    query_of(reading.got)
    assert reading == read(text, now=now)
    assert all(0 <= span.start <= span.end <= len(text) for span in reading.spans)
    return reading


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), MOMENTS)
def test_any_text_has_a_reading(text: str, now: datetime) -> None:
    sound(text, now)


@settings(max_examples=600, deadline=None)
@given(st.data(), MOMENTS)
def test_any_row_of_words_has_a_reading(data: st.DataObject, now: datetime) -> None:
    words = data.draw(st.lists(st.sampled_from(fragments()), min_size=1, max_size=9))
    sound(data.draw(st.sampled_from(["", " ", "的", "，"])).join(words), now)


@pytest.mark.parametrize(
    "text",
    [
        "1" * 10_000,
        "到" * 10_000,
        "昨天" * 5_000,
        "买家" * 5_000,
        "从" * 10_000,
        "1-" * 5_000,
        "忽略" * 5_000,
        "a" * 10_000,
    ],
)
def test_ten_thousand_characters_are_read_and_a_note_says_how_far(text: str) -> None:
    assert sound(text, NOW).notes[0] == {"code": "too_long", "read": 1000, "given": 10_000}


def test_a_number_no_amount_can_be_is_left_to_the_text_with_a_note() -> None:
    reading = sound("金额大于" + "9" * 31 + "元的订单", NOW)
    assert "amount" not in reading.got
    assert [note["code"] for note in reading.notes] == ["number_too_large"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2月31号的订单", "no_such_date"),
        ("超过100元且不到50元的订单", "contradictory_range"),
        ("已退款的订单，不要已退款的", "wanted_and_excluded"),
        ("3月5号的订单 3月8号", "contradictory_time"),
        ("昨天的订单' or 1=1 --", "not_parsed"),
        ("话废订单", "repaired"),
    ],
)
def test_what_cannot_be_meant_is_explained(text: str, code: str) -> None:
    assert code in [note["code"] for note in sound(text, NOW).notes]


def test_spans_point_into_the_text_as_typed() -> None:
    text = "🔥上個月的１００元話費"
    reading = sound(text, NOW)
    assert [(span.slot, text[span.start : span.end]) for span in reading.spans] == [
        ("time", "上個月"),
        ("face_value", "１００元"),
        ("category", "話費"),
    ]


def test_an_aware_now_is_taken_in_local_time() -> None:
    from datetime import UTC

    late = datetime(2025, 3, 11, 20, 0, tzinfo=UTC)
    assert read("今天", now=late) == read("今天", now=(late + timedelta(hours=8)).replace(tzinfo=None))
