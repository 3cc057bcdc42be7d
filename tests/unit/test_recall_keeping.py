"""Which typed texts are kept, and that what the search box suggests is understood."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from chadan.nlq.reading import read
from chadan.recall.personal import is_personal

ROOM = Path(__file__).parents[2] / "src" / "chadan" / "recall"
NOW = datetime(2026, 11, 24, 16, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
with (ROOM / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
    SUGGESTED = [
        (str(message.id), str(message.string))
        for message in read_po(file, locale="zh_Hans")
        if message.id and any(place.endswith("suggestions.py") for place, _line in message.locations)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2611 2245 2960 0712 341",
        "13800138000",
        "１３８００１３８０００",  # full width
        "138-0013-8000 的订单",
        "查一下 138 0013 8000",
        "8812",
        "someone@example.com",
        "给 someone@example.com 的卡",
        "HF88213377",
        "4200002345202611221234567890",
        "account:lin status:paid",
        "-买家:小林",
        "尾号:8812",
    ],
)
def test_numbers_accounts_and_addresses_are_not_worth_keeping(text: str) -> None:
    assert is_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "status:paid amount:>50 date:7d..today -tag:测试",
        "date:2026-11-01..2026-11-24",
        "2026年11月24日的订单",
        "上个月充值的100元话费订单",
        "爱奇艺",
        "top 5 products",
        "steam 50",
    ],
)
def test_questions_are_kept(text: str) -> None:
    assert not is_personal(text)


@given(
    st.from_regex(r"1[3-9]\d{9}", fullmatch=True),
    st.text(alphabet="订单查一下 的", max_size=6),
    st.text(alphabet="订单查一下 的", max_size=6),
)
def test_a_phone_number_in_any_sentence_is_seen(phone: str, before: str, after: str) -> None:
    assert is_personal(before + phone + after)


def test_there_are_suggestions() -> None:
    assert len(SUGGESTED) >= 10


@pytest.mark.parametrize("text", [text for pair in SUGGESTED for text in pair])
def test_every_suggested_question_is_understood_whole_and_kept(text: str) -> None:
    reading = read(text, now=NOW)
    assert not reading.unknown and not reading.got.get("text") and not reading.got.get("account"), reading.got
    assert not is_personal(text)


def test_both_languages_of_a_suggestion_ask_for_the_same_things() -> None:
    for pair in SUGGESTED:
        english, chinese = (read(text, now=NOW).got for text in pair)
        for slot in ("intent", "group_by", "metric", "category"):
            assert english.get(slot) == chinese.get(slot), (pair, slot)
