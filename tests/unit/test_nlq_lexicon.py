"""A shop's own words on top of the built-in lexicon."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Any

import pytest

from chadan.cli.parse import answers
from chadan.nlq.lexicon import Lexicon
from chadan.platform.errors import InvalidInput

SHOP = Lexicon.seed().with_shop(
    [
        ("七天酒店卡", "product", "七天酒店卡", "gift_card"),
        ("王者", "product", "王者荣耀点券", "game_card"),
        ("飞马科技", "supplier", "飞马科技", None),
        ("加急", "tag", "加急", None),
        ("昨天", "product", "昨天", None),
        ("已退款", "tag", "已退款", None),
        ("张", "buyer", "张", None),
    ]
)


def got(text: str, lexicon: Lexicon = SHOP) -> dict[str, Any]:
    line = json.dumps({"id": 1, "q": text, "now": "2025-03-12T10:30:00", "role": "merchant"})
    answer = next(answers(io.StringIO(line), lexicon))
    return dict(answer["got"])


def test_a_name_with_words_of_time_in_it_is_kept_whole() -> None:
    assert got("七天酒店卡的订单") == {"product": ["七天酒店卡"]}


def test_a_shop_word_overrides_the_built_in_one() -> None:
    assert got("王者订单")["product"] == ["王者荣耀点券"]
    assert got("王者订单", Lexicon.seed())["product"] == ["王者荣耀"]


def test_known_names_need_no_cue() -> None:
    assert got("飞马科技 加急") == {"supplier": ["飞马科技"], "tag": ["加急"]}


@pytest.mark.parametrize("alias", ["昨天", "已退款", "张"])
def test_words_of_the_grammar_and_single_characters_are_not_names(alias: str) -> None:
    assert SHOP.term(alias) is None


def test_the_seed_is_not_changed_by_a_shop() -> None:
    assert Lexicon.seed().term("飞马科技") is None


def test_a_line_that_is_no_question_is_named() -> None:
    lines = io.StringIO('{"id": 1, "q": "今天", "now": "2025-03-12T10:30:00"}\n[1]\n')
    with pytest.raises(InvalidInput, match="Line 2"):
        list(answers(lines, Lexicon.seed()))


def test_now_may_be_left_out() -> None:
    assert list(answers(io.StringIO('{"id": "a", "q": "话费"}'), Lexicon.seed())) == [
        {"id": "a", "got": {"category": ["phone_topup"]}}
    ]


def test_local_times_only_come_from_the_question() -> None:
    first = datetime(2025, 3, 12, 10, 30)  # noqa: DTZ001 - a local time, as the command takes it
    assert got("今天")["time"]["from"] == f"{first:%Y-%m-%d}T00:00:00"
