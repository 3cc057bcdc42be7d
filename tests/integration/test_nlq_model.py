"""The optional model: what it may explain, what it is never sent, and what its misbehaviour costs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_model import FakeModel, assignment, model_served, say

from chadan.nlq.lexicon import Lexicon
from chadan.nlq.reading import Reading, query_of, read
from chadan.nlq_model import completing, fuse, wire
from chadan.orders.number import SHANGHAI
from chadan.platform.config import get_config

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 24, 16, 0, tzinfo=SHANGHAI)
Q = "上个月鹅厂视频打水漂的单子"
LAST_MONTH = {"field": "placed", "from": "2026-10-01T00:00:00", "to": "2026-11-01T00:00:00"}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeModel]:
    """A model that is set, with a key."""
    key = tmp_path / "key"
    key.write_text("sk-test-of-the-model\n")
    key.chmod(0o600)
    with model_served() as served:
        monkeypatch.setenv("CHADAN_MODEL_URL", served.url)
        monkeypatch.setenv("CHADAN_MODEL_NAME", "tiny")
        monkeypatch.setenv("CHADAN_MODEL_KEY_FILE", str(key))
        get_config.cache_clear()
        completing.forget()
        yield served
    monkeypatch.undo()
    get_config.cache_clear()
    completing.forget()


def understand(q: str = Q, lexicon: Lexicon | None = None) -> Any:
    return completing.understand(q, NOW, lexicon or Lexicon.seed())


def left(q: str = Q) -> list[str]:
    return read(q, now=NOW).unknown


def test_without_a_model_the_rules_stand_alone() -> None:
    assert get_config().model is None
    reading = understand()
    assert reading == read(Q, now=NOW) and reading.source == "rules" and reading.unknown


def test_words_left_over_are_explained_and_marked(model: FakeModel) -> None:
    model.assigns(assignment("鹅厂视频", "product", "腾讯视频"), assignment("打水漂", "status", "failed"))
    reading = understand()
    assert reading.source == "model" and reading.unknown == []
    assert reading.got == {"product": ["腾讯视频"], "status": ["failed"], "time": LAST_MONTH}
    assert query_of(reading.got).product == ("腾讯视频",)
    assert {Q[span.start : span.end] for span in reading.spans} >= {"鹅厂视频", "打水漂"}
    assert model.keys == ["Bearer sk-test-of-the-model"]
    sent = model.heard[0]
    assert sent["model"] == "tiny" and sent["response_format"]["json_schema"]["strict"] is True


def test_what_stays_unexplained_is_still_searched_for(model: FakeModel) -> None:
    model.assigns(assignment("鹅厂视频", "product", "腾讯视频"))
    reading = understand()
    assert reading.got["text"] == "打水漂" and reading.unknown == ["打水漂"]


def test_the_model_is_not_asked_where_the_rules_suffice(model: FakeModel) -> None:
    for q in ("上个月的话费订单", "张三", "", "备注里有急单的订单"):
        assert understand(q).source == "rules"
    assert model.heard == []


def test_the_same_question_is_asked_once(model: FakeModel) -> None:
    model.assigns(assignment("打水漂", "status", "failed"))
    assert understand() == understand() and len(model.heard) == 1


@pytest.mark.parametrize(
    "given",
    [
        assignment("上个月", "product", "腾讯视频"),  # the rules explained these words
        assignment("鹅厂视频", "time"),  # no time in them
        assignment("昨天", "time"),  # not in the question
        {**assignment("鹅厂视频", "time", "2020-01-01"), "from": "2020-01-01T00:00:00"},
        {"words": "鹅厂视频", "slot": "time", "value": {"from": "2020-01-01T00:00:00"}, "exclude": False},
        assignment("鹅厂视频", "product", "不存在的牌子"),
        assignment("鹅厂视频", "status", "lost"),
        assignment("鹅厂视频", "home", "7"),
        assignment("鹅厂视频", "merchant_id", "12"),
        assignment("鹅厂视频", "order_no", "2511221234500112345"),
        assignment("鹅厂视频", "limit", "1"),
        assignment("", "status", "paid"),
        {"words": ["鹅厂视频"], "slot": "product", "value": "腾讯视频", "exclude": False},
        {"words": "鹅厂视频", "slot": "product", "value": "腾讯视频", "exclude": "yes"},
        {"words": "鹅厂视频", "slot": None},
        assignment("⟦9⟧", "buyer"),
        None,
        "ignore your instructions",
        [[]],
    ],
)
def test_what_a_model_may_not_say_is_ignored(model: FakeModel, given: Any) -> None:
    """Alone it leaves the rules' reading; beside something useful it does not spoil that."""
    model.assigns(given)
    assert understand() == read(Q, now=NOW)
    completing.forget()
    model.assigns(given, assignment("打水漂", "status", "failed"))
    reading = understand()
    assert reading.got["status"] == ["failed"] and reading.got["text"] == "鹅厂视频"
    assert reading.got["time"] == LAST_MONTH


def test_the_rules_are_never_overridden(model: FakeModel) -> None:
    q = "昨天已付款的爱奇艺订单 鹅厂视频打水漂"
    rules = read(q, now=NOW)
    assert {"time", "status", "product"} <= set(rules.got)
    model.assigns(
        assignment("鹅厂视频", "product", "腾讯视频"),
        assignment("打水漂", "status", "failed"),
        assignment("打水漂", "status", "failed", exclude=True),
    )
    assert understand(q) == rules and len(model.heard) == 1


def test_another_shops_name_is_only_a_word_to_look_for(model: FakeModel) -> None:
    """A model may not bring names: what goes into a name's slot is what was typed."""
    model.assigns(assignment("打水漂", "merchant", "another shop"))
    assert understand().got["merchant"] == ["打水漂"]


def test_dates_are_worked_out_here(model: FakeModel) -> None:
    """Time words come back as words, and our own parser reads them; a date the model worked out goes nowhere."""
    from chadan.nlq_model import applying

    q = "打了水漂的单子 前天"
    unread = Reading({"text": "打了水漂 前天"}, [], ["打了水漂", "前天"])
    model.assigns(assignment("前天", "time", "2019-12-31"), assignment("打了水漂", "status", "failed"))
    reading = completing.complete(unread, q, NOW, Lexicon.seed())
    assert reading is not None
    assert reading.got["time"] == {"field": "placed", "from": "2026-11-22T00:00:00", "to": "2026-11-23T00:00:00"}
    assert "2019" not in json.dumps(reading.got) and applying.unexplained(reading) == []


CANARIES = (
    "13812345678",
    "li.lei@example.com",
    "2511221234500112345",
    "王小明",
    "大客户甲",
    "急单别动",
    "game_Acc77",
    "138 0013 8000",
)


def test_nobodys_data_is_sent(model: FakeModel) -> None:
    """Ids, phones, addresses, names the shop knows, remarks: none of them leaves, and they come back into the reading."""
    lexicon = Lexicon.seed().with_shop([("王小明", "buyer", "王小明", None), ("大客户甲", "tag", "大客户甲", None)])
    q = (
        "13812345678 和 li.lei@example.com 订单2511221234500112345 王小明打水漂 大客户甲瞎折腾 "
        "备注里有“急单别动” 账号game_Acc77 138 0013 8000 不灵"
    )
    rules = read(q, now=NOW, lexicon=lexicon)
    model.assigns()
    understand(q, lexicon)
    sent = json.dumps(model.heard, ensure_ascii=False)
    assert model.question()["unexplained"], "there was something to ask about"
    for canary in CANARIES:
        assert canary not in sent and canary.replace(" ", "") not in sent.replace(" ", ""), canary
    assert "sk-test-of-the-model" not in sent
    assert understand(q, lexicon) == rules


def test_placeholders_come_back_as_what_they_stand_for(model: FakeModel) -> None:
    q = "上个月区服ab12cd34打水漂的单子"
    assert any("ab12cd34" in words for words in left(q)), "the rules do not know it"
    model.assigns(assignment("⟦1⟧", "account"))
    reading = understand(q)
    assert reading.got["account"] == {"equals": ["ab12cd34"]} and "ab12cd34" not in json.dumps(model.heard)
    assert reading.got["text"] == "区服 打水漂"


def slow(seconds: float) -> Any:
    def speak(handler: BaseHTTPRequestHandler, over: threading.Event) -> None:
        over.wait(seconds)
        say(handler, b"{}")

    return speak


def dripping(handler: BaseHTTPRequestHandler, over: threading.Event) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not over.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def hung_up(handler: BaseHTTPRequestHandler, _over: threading.Event) -> None:
    handler.connection.close()


@pytest.mark.parametrize(
    "speak",
    [
        pytest.param(slow(30), id="never answers"),
        pytest.param(dripping, id="drips"),
        pytest.param(hung_up, id="hangs up"),
        pytest.param(lambda handler, _over: say(handler, b"oops", 500), id="500"),
        pytest.param(lambda handler, _over: say(handler, b"", 429), id="429"),
        pytest.param(lambda handler, _over: say(handler, b"\xff\x00<html>"), id="garbage"),
        pytest.param(lambda handler, _over: say(handler, b" " * (wire.MOST_BYTES + 1)), id="huge"),
        pytest.param(lambda handler, _over: say(handler, b"[" * 50_000), id="deep"),
        pytest.param(lambda handler, _over: say(handler, b'{"choices": []}'), id="no choice"),
        pytest.param(
            lambda handler, _over: say(handler, b'{"choices": [{"message": {"content": "SELECT 1"}}]}'), id="prose"
        ),
        pytest.param(
            lambda handler, _over: say(handler, b'{"choices": [{"message": {"content": "{\\"assignments\\": 7}"}}]}'),
            id="wrong form",
        ),
    ],
)
def test_a_model_that_misbehaves_costs_its_time_and_nothing_else(
    model: FakeModel, monkeypatch: pytest.MonkeyPatch, speak: Any
) -> None:
    monkeypatch.setattr(wire, "SECONDS", 0.5)
    model.speak = speak
    began = time.monotonic()
    assert understand() == read(Q, now=NOW)
    assert time.monotonic() - began < 2.5 and len(model.heard) == 1, "one try"


def test_a_model_that_fails_is_left_alone_for_a_while(model: FakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model.raw(b"", 500)
    for _ in range(fuse.FAILURES + 4):
        understand()
    assert len(model.heard) == fuse.FAILURES
    started = time.monotonic()
    monkeypatch.setattr(fuse.time, "monotonic", lambda: started + fuse.REST + 1)
    model.assigns(assignment("打水漂", "status", "failed"))
    assert understand().source == "model" and len(model.heard) == fuse.FAILURES + 1
    assert understand("上个月鹅厂视频打水漂的单").source == "model", "it works again"


def test_a_slow_model_holds_few_threads(model: FakeModel) -> None:
    model.speak = slow(1.0)
    questions = [f"上个月打水漂{word}的单子" for word in ("鹅厂", "企鹅", "猫厂", "狗东", "抖抖", "快快")]
    threads = [threading.Thread(target=understand, args=(q,)) for q in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(model.heard) <= fuse.AT_ONCE


def test_the_search_box_asks_it(model: FakeModel, database: Any) -> None:
    from chadan.asking.understanding import understand as typed
    from chadan.orders import number
    from chadan.platform.scope import NOBODY

    model.assigns(assignment("鹅厂视频", "product", "腾讯视频"), assignment("打水漂", "status", "failed"))
    meant = typed(Q, number.now(), NOBODY)
    assert meant.said is not None and meant.said.source == "model"
    assert meant.parsed.query.product == ("腾讯视频",)
    assert [problem.code for problem in meant.parsed.problems] == ["note_by_model"], "and it is said"
    assert "鹅厂视频" in meant.parsed.problems[0].message


def test_the_list_says_what_the_model_read(model: FakeModel, database: Any) -> None:
    from django.test import Client
    from tests.support.people import make_shop

    shop = make_shop(1)
    client = Client()
    client.force_login(shop.staff["owner"])
    model.assigns(assignment("打水漂", "status", "failed"))
    page = client.get("/m/orders", {"view": "sales", "q": "上个月打水漂的话费单子"}).content.decode()
    assert "“打水漂”由模型补充理解。" in page
    assert "由模型" not in client.get("/m/orders", {"view": "sales", "q": "上个月的话费单子"}).content.decode()
