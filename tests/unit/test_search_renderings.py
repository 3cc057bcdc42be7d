"""URL and search-box text are renderings of one value: there and back changes nothing."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.queries import queries

from chadan.orders import number
from chadan.platform.errors import InvalidQuery
from chadan.search.grammar import Parsed, parse
from chadan.search.grammar_render import render
from chadan.search.order_query import OrderQuery
from chadan.search.url import from_pairs, from_url, to_pairs, to_url

NOW = datetime(2026, 3, 31, 22, 40, tzinfo=number.SHANGHAI)
OURS = number.make(NOW, 7, 1234)


def got(text: str) -> dict[str, object]:
    parsed = parse(text, NOW)
    assert parsed.problems == ()
    return parsed.query.to_dict()


def day(start: str, end: str, field: str = "placed") -> dict[str, object]:
    return {"time": {"field": field, "from": f"{start}T00:00:00", "to": f"{end}T00:00:00"}}


@given(queries())
@settings(max_examples=300)
def test_url_round_trip(query: OrderQuery) -> None:
    assert from_pairs(to_pairs(query), now=NOW).query == query
    assert from_url(to_url(query, q="a b", cursor="x"), now=NOW) == (query, "a b", "")


@given(queries())
@settings(max_examples=300)
def test_text_round_trip(query: OrderQuery) -> None:
    parsed = parse(render(query), NOW)
    assert parsed.problems == ()
    assert parsed.query == query


@given(st.text(max_size=60))
def test_any_text_is_read_without_raising(text: str) -> None:
    assert isinstance(parse(text, NOW), Parsed)


@given(
    st.lists(
        st.sampled_from(
            ["订单号", "尾号", "138", "-", ":", '"', "*", "status", "amount", " ", "50..", ">", "7d", "8000", "，"]
        )
    )
)
def test_any_mix_of_pieces_is_read_without_raising(pieces: list[str]) -> None:
    assert isinstance(parse("".join(pieces), NOW), Parsed)


def test_url_is_readable() -> None:
    query = OrderQuery.from_dict(
        {
            "status": ["paid", "processing"],
            "product": ["腾讯视频"],
            "amount": {"min": 5000},
            "exclude": {"tag": ["测试"]},
            "sort": {"by": "amount", "dir": "desc"},
            **day("2026-01-01", "2026-02-01"),
        }
    )
    assert to_pairs(query) == [
        ("from", "2026-01-01"),
        ("to", "2026-01-31"),
        ("status", "paid,processing"),
        ("product", "腾讯视频"),
        ("amount_min", "50.00"),
        ("exclude.tag", "测试"),
        ("sort", "-amount"),
    ]


def test_url_presets_move_with_the_day() -> None:
    state = from_url("date=7d&q=hello&cursor=abc", now=NOW)
    assert state.query.to_dict() == day("2026-03-25", "2026-04-01")
    assert (state.q, state.date) == ("hello", "7d")
    assert to_url(state.query, date=state.date) == "date=7d"
    assert from_url("date=custom&from=2026-01-01&to=2026-01-01", now=NOW).query.to_dict() == day(
        "2026-01-01", "2026-01-02"
    )
    assert from_url("date=all&from=&status=", now=NOW).query == OrderQuery()


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("from=2026-02-01&to=2026-01-01", "time"),
        ("from=yesterday", "from"),
        ("to=9999-12-31", "to"),
        ("status=lost", "status"),
        ("amount_min=abc", "amount_min"),
        ("amount_min=5&amount_max=4", "amount"),
        ("nope=1", "nope"),
        ("exclude.limit=1", "exclude.limit"),
        ("date=someday", "date"),
        ("sort=size", "sort.by"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("after_sale=perhaps", "after_sale"),
        ("product=" + "x" * 501, "product"),
    ],
)
def test_url_says_what_is_wrong(url: str, field: str) -> None:
    with pytest.raises(InvalidQuery) as error:
        from_url(url, now=NOW)
    assert error.value.field == field


def test_ten_megabytes_are_refused() -> None:
    with pytest.raises(InvalidQuery, match="64 KB"):
        from_url("tag=" + "x" * 10_000_000, now=NOW)
    with pytest.raises(InvalidQuery, match="64 KB"):
        parse("x" * 10_000_000, NOW)


@pytest.mark.parametrize(
    "around", ["{}", "订单号：{}", "订单号 {} 麻烦查一下", "  {}\n", "no:{}", "【查单】单号:{},谢谢"]
)
@pytest.mark.parametrize("gap", ["", " ", "-"])
def test_our_number_is_found_in_what_was_pasted(around: str, gap: str) -> None:
    typed = number.text(OURS)
    if gap and around == "no:{}":
        gap = ""
    grouped = gap.join((typed[:6], typed[6:11], typed[11:14], typed[14:]))
    parsed = parse(around.format(grouped), NOW)
    assert parsed.jump == OURS
    assert parsed.query.to_dict() == {"order_no": {"equals": [typed]}}
    assert parsed.problems == ()


def test_a_mistyped_number_is_said_to_be_one() -> None:
    wrong = OURS + (1 if OURS % 10 < 9 else -1)
    parsed = parse(f"查 {wrong}", NOW)
    assert parsed.jump is None
    assert [problem.code for problem in parsed.problems] == ["mistyped_number"]
    assert str(wrong) in parsed.problems[0].message
    assert parsed.query.to_dict() == {"order_no": {"equals": [str(wrong)]}}


def test_a_range_cannot_end_with_days_counted_back() -> None:
    (problem,) = parse("date:today..7d", NOW).problems
    assert "begin with it: 7d..today" in problem.message


@pytest.mark.parametrize(
    ("digits", "words"), [(17, "two are missing"), (18, "one is missing"), (20, "one is too many")]
)
def test_a_number_that_opens_like_ours_is_told_from_a_miss(digits: int, words: str) -> None:
    typed = f"{number.text(OURS)}4"[:digits]
    for text in (typed, f"no:{typed}", f"订单号{typed}"):
        parsed = parse(text, NOW)
        assert [problem.code for problem in parsed.problems] == ["mistyped_number"], text
        assert words in parsed.problems[0].message
        assert parsed.query.to_dict() == {"order_no": {"equals": [typed]}}
    assert parse("9" * digits, NOW).problems == ()


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", {}),
        ("13800138000", {"account": {"equals": ["13800138000"]}}),
        ("138 0013 8000", {"account": {"equals": ["13800138000"]}}),
        ("+86 139-1234-5678", {"account": {"equals": ["13912345678"]}}),
        ("138****8000", {"account": {"prefix": "138", "suffix": "8000"}}),
        ("8812", {"account": {"suffix": "8812"}}),
        ("尾号8812", {"account": {"suffix": "8812"}}),
        ("尾号:8812", {"account": {"suffix": "8812"}}),
        ("订单号尾号8812", {"order_no": {"suffix": "8812"}}),
        ("12345678", {"account": {"equals": ["12345678"]}}),
        ("a@b.com", {"account": {"equals": ["a@b.com"]}}),
        ("交易号4200001234", {"external_no": {"equals": ["4200001234"]}}),
        ("交易号: ABC-123456", {"external_no": {"equals": ["ABC-123456"]}}),
        ("4200001234202511221234567890", {"external_no": {"equals": ["4200001234202511221234567890"]}}),
        ("2025112222001234567890123456", {"external_no": {"equals": ["2025112222001234567890123456"]}}),
        ("TB20250101123456", {"order_no": {"equals": ["TB20250101123456"]}}),
        ("202503", day("2025-03-01", "2025-04-01")),
        ("20250301", day("2025-03-01", "2025-03-02")),
        ("2025-03-01", day("2025-03-01", "2025-03-02")),
        ("2025/3/1 status:paid", {"status": ["paid"], **day("2025-03-01", "2025-03-02")}),
        ("2025年3月1日", day("2025-03-01", "2025-03-02")),
        ("2025-03", day("2025-03-01", "2025-04-01")),
        ("2025-03-01..2025-03-05", day("2025-03-01", "2025-03-06")),
        ("2025-13-01", {"order_no": {"equals": ["2025-13-01"]}}),
        ("status:已发货|paid", {"status": ["delivered", "paid"]}),
        ("状态：待发货", {"status": ["paid", "processing"]}),
        ("amount:>50", {"amount": {"min": 5001}}),
        ("amount:50..100", {"amount": {"min": 5000, "max": 10000}}),
        ("face:100", {"face_value": {"min": 10000, "max": 10000}}),
        ("qty:>=3", {"quantity": {"min": 3}}),
        ("date:7d..today", day("2026-03-25", "2026-04-01")),
        ("date:2026-01-01..2026-02-01", day("2026-01-01", "2026-02-02")),
        ("date:2025-11", day("2025-11-01", "2025-12-01")),
        ("paid:2025-11-11", day("2025-11-11", "2025-11-12", "paid")),
        ("refunded:>2025-11-11", {"time": {"field": "refunded", "from": "2025-11-12T00:00:00"}}),
        ("-tag:测试 -status:已取消", {"exclude": {"tag": ["测试"], "status": ["cancelled"]}}),
        ("account:138*|*8000", {"account": {"prefix": "138", "suffix": "8000"}}),
        ('buyer:"王 五"', {"buyer": ["王 五"]}),
        ("“充值 慢”", {"text": "充值 慢"}),
        ("加速器 一周", {"text": "加速器 一周"}),
        ("备注 13800138000 慢", {"account": {"equals": ["13800138000"]}, "text": "备注 慢"}),
        ("sort:-amount view:agent", {"role_view": "agent", "sort": {"by": "amount", "dir": "desc"}}),
        ("https://example.com/a", {"text": "https://example.com/a"}),
        ("pay:微信 platform:淘宝", {"payment_method": ["wechat"], "platform": ["淘宝"]}),
    ],
)  # fmt: skip
def test_search_box(text: str, want: dict[str, object]) -> None:
    assert got(text) == want


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("stauts:paid", "unknown_key"),
        ("status:lost", "bad_value"),
        ("amount:much", "bad_value"),
        ("amount:5..4", "bad_value"),
        ("date:someday", "bad_value"),
        ("date:2026-02-01..2026-01-01", "bad_value"),
        ("date:today..7d", "bad_value"),
        ("date:..30d", "bad_value"),
        ("paid:2026-01-01..近7天", "bad_value"),
        ("-amount:5", "not_excludable"),
        ("status:", "empty_value"),
        ("account:*", "bad_value"),
        ("tag:" + "x" * 600, "bad_value"),
        ("limit:0", "bad_value"),
    ],
)
def test_problems_leave_the_rest_working(text: str, code: str) -> None:
    parsed = parse(f"{text} buyer:x" if code != "empty_value" else f"buyer:x {text}", NOW)
    assert [problem.code for problem in parsed.problems] == [code]
    assert parsed.query == OrderQuery(buyer=("x",))


def test_unknown_key_suggests_and_lists() -> None:
    (problem,) = parse("stauts:paid", NOW).problems
    assert "status:" in problem.message
    assert "amount:" in problem.hint


def test_a_guessed_number_has_other_readings() -> None:
    parsed = parse("TB20250101123456", NOW)
    assert [sorted(other.to_dict()) for other in parsed.otherwise] == [["external_no"], ["account"], ["text"]]
    assert parse("订单号TB20250101123456", NOW).otherwise == ()
