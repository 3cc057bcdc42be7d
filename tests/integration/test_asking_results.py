"""Questions in natural language find what a plain evaluator finds, and nobody asks about what is not shown to them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support import generate_orders as gen
from tests.support import naive
from tests.support.generate_orders import World

pytestmark = pytest.mark.integration
NOW = gen.START + timedelta(days=gen.DAYS - 3)
DATA = Path(__file__).parents[1] / "data" / "nlq"
SENTENCES = [
    json.loads(line)["q"] for name in ("dev", "phrasings") for line in (DATA / f"{name}.jsonl").read_text().splitlines()
]
WHEN = [
    "",
    "上个月",
    "最近7天",
    "本周",
    "昨天",
    "前三天",
    "今年",
    "最近一个月付款的",
    "上周完成的",
    "10号以前",
    "last month ",
]
WHAT = ["", "话费", "Q币", "腾讯视频", "流量", "游戏点卡", "100元话费", "会员", "除了话费的", "steam "]
HOW = [
    "",
    "没到账的",
    "已退款的",
    "待付款的",
    "没发货的",
    "有售后的",
    "金额超过50的",
    "10元到100元的",
    "支付宝付的",
    "不是微信付的",
]
ASKED = [
    "",
    "有多少单",
    "一共多少钱",
    "平均多少钱",
    "哪个商品卖得最好",
    "每天多少单",
    "按状态统计",
    "最贵的",
    "最早的",
    "前5单",
]


spoken = st.one_of(
    st.sampled_from(SENTENCES), st.tuples(*(st.sampled_from(words) for words in (WHEN, HOW, WHAT, ASKED))).map("".join)
)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(text=spoken, whose=st.sampled_from(["merchant", "buyer"]))
def test_every_reading_runs_and_finds_what_the_plain_evaluator_finds(world: World, text: str, whose: str) -> None:
    from chadan.asking.answering import answer, listed
    from chadan.asking.understanding import understand
    from chadan.search.permitted import without_hidden
    from chadan.search.service import find_orders

    scope = world.scopes[whose]
    meant = understand(text, NOW, scope).parsed
    for asked in (meant.query, *meant.otherwise):
        query, _hidden = without_hidden(scope, asked)
        if whose == "operator" and not query.merchant:  # other tests' orders are not in this world
            query = query.replace(merchant=tuple(shop.name for shop in world.merchants))
        rows = find_orders(scope, listed(query), limit=500, now=NOW).rows
        assert [row.order_no for row in rows] == naive.listed(world.orders, listed(query), scope)
        found = answer(scope, query)
        assert (found is None) == (query.intent == "list" and query.group_by is None)
        if found is not None:
            assert found.orders == len([order for order in world.orders if naive.matches(order, query, scope)])


def test_what_may_not_be_seen_is_refused_in_words_too(world: World) -> None:
    from chadan.asking.answering import answer
    from chadan.asking.understanding import understand
    from chadan.platform.errors import Forbidden

    buyer = world.scopes["buyer"]
    query = understand("这个月赚了多少", NOW, buyer).parsed.query
    assert (query.intent, query.metric) == ("sum", "profit")
    with pytest.raises(Forbidden):
        answer(buyer, query)


def test_a_buyer_names_a_shop(world: World) -> None:
    from chadan.asking.shop_words import forget_words
    from chadan.asking.understanding import understand

    forget_words()
    name = world.merchants[0].name
    query = understand(f"{name}上个月的订单", NOW, world.scopes["buyer"]).parsed.query
    assert query.merchant == (name,) and query.time is not None and not query.text


def test_the_words_of_a_shop_are_its_own(world: World) -> None:
    from chadan.asking.shop_words import forget_words, lexicon_of
    from chadan.platform.scope import Matter, Scope

    forget_words()
    mine = world.scopes["merchant"]
    theirs = next(shop for shop in world.merchants if shop.id not in mine.merchants)
    insider = Scope(merchants=mine.merchants, homes=mine.homes, asks=frozenset(Matter))
    known: set[Any] = set(lexicon_of(insider).terms) - set(lexicon_of(world.scopes["buyer"]).terms)
    others = set(lexicon_of(Scope(merchants=(theirs.id,), homes=(theirs.home,))).terms)
    assert not {word for word in known & others if theirs.name.casefold() in word}
