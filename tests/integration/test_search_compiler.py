"""The PostgreSQL compiler finds exactly what the plain evaluator finds, in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support import generate_orders as gen
from tests.support import naive
from tests.support.generate_orders import World

from chadan.orders import number
from chadan.orders.states import Category, OrderStatus, PaymentMethod
from chadan.platform.errors import InvalidQuery
from chadan.platform.scope import Scope

pytestmark = pytest.mark.integration
NOW = gen.START + timedelta(days=100)


def pick(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


def moments() -> st.SearchStrategy[str]:
    return st.integers(-5, gen.DAYS + 5).map(
        lambda day: (gen.START + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%S")
    )


@st.composite
def times(draw: st.DrawFn) -> dict[str, str]:
    start, end = sorted(draw(st.lists(moments(), min_size=2, max_size=2, unique=True)))
    bounds = draw(st.sampled_from([{"from": start}, {"to": end}, {"from": start, "to": end}]))
    return {"field": draw(st.sampled_from(["placed", "placed", "paid", "completed", "refunded"])), **bounds}


@st.composite
def ids(draw: st.DrawFn, known: list[str]) -> dict[str, Any]:
    text = draw(st.sampled_from(known))
    cut = draw(st.integers(1, max(1, min(6, len(text)))))
    whole = [text, draw(st.sampled_from(known)).upper()]
    shapes = [
        {"equals": list(dict.fromkeys(whole))},
        {"prefix": text[:cut]},
        {"suffix": text[-cut:]},
        {"contains": text[1 : cut + 1] or text},
        {"prefix": text[:cut].lower(), "suffix": text[-1:]},
        {"equals": [text], "suffix": text[-cut:]},
    ]
    return draw(st.sampled_from(shapes))


@st.composite
def bounds(draw: st.DrawFn, *values: int) -> dict[str, int]:
    low, high = sorted((draw(st.sampled_from(values)), draw(st.sampled_from(values))))
    return draw(st.sampled_from([{"min": low}, {"max": high}, {"min": low, "max": high}]))


def member_fields(world: World) -> dict[str, st.SearchStrategy[Any]]:
    people = [buyer.login for buyer in world.buyers] + [buyer.name.upper() for buyer in world.buyers if buyer.name]
    shops = [shop.name for shop in world.merchants] + [shop.login.upper() for shop in world.merchants]
    return {
        "account": ids([account for account in gen.ACCOUNTS if account]),
        "status": pick(*OrderStatus),
        "category": pick(*Category),
        "payment_method": pick(*PaymentMethod),
        "product": pick("腾讯视频", "话费", "STEAM", "会员", "%", "_", "\\", "é", "'", "nothing", "QQ币"),
        "variant": pick("年卡", "SVIP", "none"),
        "platform": pick("TAOBAO", "shop", "api_1", "%"),
        "buyer": pick(*people, "nobody"),
        "merchant": pick(*shops, "nobody"),
        "agent": pick(*shops, "nobody"),
        "supplier": pick("up_1", "UP%2", "up"),
        "tag": pick("测试", "vip_1", "HOT%", "no such"),
    }


def query_data(world: World) -> st.SearchStrategy[dict[str, Any]]:
    numbers = [number.text(order["order_no"]) for order in world.orders[:20]]
    sources = [order["source_order_no"] for order in world.orders if order["source_order_no"]][:20]
    refs = [ref for order in world.orders[:40] for kind, ref in order["refs"] if kind != 4]
    optional = {
        "order_no": ids(numbers + sources),
        "external_no": ids(refs),
        "time": times(),
        "has_after_sale": st.booleans(),
        "face_value": bounds(1000, 5000, 10000),
        "amount": bounds(0, 100, 4999, 5000, 5001, 60000),
        "quantity": bounds(1, 2, 10),
        "role_view": st.sampled_from(["consumer", "sales", "agent"]),
        "text": st.sampled_from(
            ["%", "_", "\\", "'", "slow", "测试", "É", "138", "ann", "50%", "nothing", "Steam_", "\n"]
        ),
        **member_fields(world),
        "exclude": st.fixed_dictionaries({}, optional=member_fields(world)).filter(bool),
        "sort": st.fixed_dictionaries(
            {
                "by": st.sampled_from(["placed_at", "paid_at", "amount", "metric"]),
                "dir": st.sampled_from(["asc", "desc"]),
            }
        ),
        "limit": st.integers(1, 60),
    }
    names = sorted(optional)
    chosen = st.lists(st.sampled_from([*names, "time", "sort", "exclude"]), max_size=3, unique=True)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: optional[key] for key in keys}))


@st.composite
def questions(draw: st.DrawFn, world: World, **fixed: Any) -> tuple[Any, Scope, str | None]:
    from chadan.search.order_query import OrderQuery
    from chadan.search.permitted import without_hidden

    name = draw(st.sampled_from(sorted(world.scopes)))
    data = {**draw(query_data(world)), **fixed}
    if name == "operator" and "merchant" not in data:
        data["merchant"] = [shop.name for shop in world.merchants]  # other tests' orders are not in this world
    view = draw(st.sampled_from([None, None, "purchases", "sales"])) if name == "agent" else None
    query = OrderQuery.from_dict(data)
    heard, _sentences = without_hidden(world.scopes[name], query, view)
    return heard, world.scopes[name], view


many = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@many
@given(data=st.data())
def test_lists_through_all_pages(world: World, data: st.DataObject) -> None:
    from chadan.search.service import find_orders

    query, scope, view = data.draw(questions(world))
    want = naive.listed(world.orders, query, scope, view)
    size = data.draw(st.sampled_from([1, 7, 50, 500]))
    if size == 1:
        want = want[:5]
    got: list[int] = []
    cursor, pages = None, []
    while len(got) < len(want) or not pages:
        page = find_orders(scope, query, view, cursor, size, now=NOW)
        pages.append([row.order_no for row in page.rows])
        got.extend(pages[-1])
        cursor = page.next_cursor
        if not page.rows or cursor is None:
            break
    assert got == want
    if size > 1:
        assert cursor is None
    if len(pages) > 1:
        assert page.previous_cursor is not None
        back = find_orders(scope, query, view, page.previous_cursor, size, now=NOW)
        assert [row.order_no for row in back.rows] == pages[-2]


@many
@given(data=st.data())
def test_counts(world: World, data: st.DataObject) -> None:
    from chadan.search.service import count_orders, status_counts

    query, scope, view = data.draw(questions(world))
    query = query.replace(limit=None)
    assert count_orders(scope, query, view) == (len(naive.listed(world.orders, query, scope, view)), True)
    tabs = status_counts(scope, query, view)
    for status in OrderStatus:
        only = query.replace(status=(status,))
        assert tabs[status] == (len(naive.listed(world.orders, only, scope, view)), True)


@many
@given(data=st.data())
def test_sums_averages_and_rankings(world: World, data: st.DataObject) -> None:
    from chadan.search.order_query import GROUPS
    from chadan.search.summaries import summarise

    intent = data.draw(st.sampled_from(["count", "sum", "avg", "top"]))
    fixed: dict[str, Any] = {"intent": intent}
    metric = data.draw(st.sampled_from(["amount", "count", "quantity", "profit"]))
    if metric != "amount":
        fixed["metric"] = metric
    by = data.draw(st.sampled_from([None, *GROUPS]))
    if by:
        fixed["group_by"] = by
    query, scope, view = data.draw(questions(world, **fixed))
    metric, by = query.metric, query.group_by
    found = [order for order in world.orders if naive.matches(order, query, scope, view)]
    got = summarise(scope, query, view)
    assert got.orders == len(found)
    measured = "count" if intent == "count" else metric
    if intent != "avg" or metric != "count":
        assert got.value == naive.measure(found, intent, measured)
    if by is None and intent != "top":
        assert got.groups == []
        return
    want = naive.grouped(found, query, by or "product")
    assert {group.key: group.value for group in got.groups}.items() <= want.items()
    assert len(got.groups) == min(len(want), query.limit or 1000)
    values = [group.value for group in got.groups if group.value is not None]
    if intent == "top" and values:
        down = query.sort is None or query.sort.dir == "desc"
        assert values == sorted(values, reverse=down)
        best = sorted((value for value in want.values() if value is not None), reverse=down)
        assert values == best[: len(values)]


def test_neighbours_walk_the_list(world: World) -> None:
    from chadan.search.order_query import OrderQuery, Sort
    from chadan.search.service import neighbours

    for sort in (None, Sort(by="paid_at", dir="desc"), Sort(by="amount", dir="asc")):
        query, scope = OrderQuery(sort=sort), world.scopes["merchant"]
        numbers = naive.listed(world.orders, query, scope)
        for place in (0, 1, len(numbers) // 2, len(numbers) - 2, len(numbers) - 1):
            before = numbers[place - 1] if place else None
            after = numbers[place + 1] if place + 1 < len(numbers) else None
            assert neighbours(scope, query, numbers[place]) == (before, after)
    foreign = next(order for order in world.orders if order["merchant"].id not in world.scopes["merchant"].merchants)
    assert neighbours(world.scopes["merchant"], OrderQuery(), foreign["order_no"]) == (None, None)


def test_older_matches_are_offered(world: World) -> None:
    from chadan.search.order_query import OrderQuery, TimeRange
    from chadan.search.service import older_matches

    scope = world.scopes["merchant"]
    end = gen.START + timedelta(days=gen.DAYS + 1)
    query = OrderQuery(time=TimeRange(field="placed", start=end), status=(OrderStatus.PAID,))
    want = naive.listed(world.orders, query.replace(time=None), scope)
    older = older_matches(scope, query)
    assert older == (number.placed_at(want[0]), len(want), True)
    assert older_matches(scope, query.replace(buyer=("nobody",))) is None
    assert older_matches(scope, query.replace(time=None)) is None


@pytest.fixture
def english() -> Iterator[None]:
    """Refusals in English, for this test alone."""
    with translation.override("en"):
        yield


@pytest.mark.usefixtures("english")
def test_a_cursor_of_another_query_is_refused(world: World) -> None:
    from chadan.search.order_query import OrderQuery
    from chadan.search.service import find_orders

    scope = world.scopes["merchant"]
    cursor = find_orders(scope, OrderQuery(), None, None, 3).next_cursor
    assert cursor is not None
    with pytest.raises(InvalidQuery, match="another search"):
        find_orders(scope, OrderQuery(status=(OrderStatus.PAID,)), None, cursor, 3)
    with pytest.raises(InvalidQuery, match="another search"):
        find_orders(scope, OrderQuery(), "sales", cursor, 3)
    for other in ("merchants", "agent", "buyer", "operator"):
        with pytest.raises(InvalidQuery, match="another search"):
            find_orders(world.scopes[other], OrderQuery(), None, cursor, 3)
    for broken in (cursor[:-2], "x" * 10_000, "é", "%%%", "AAAA"):
        with pytest.raises(InvalidQuery, match="damaged"):
            find_orders(scope, OrderQuery(), None, broken, 3)


HIDDEN = [
    ({"supplier": ["up_1"]}, "supplier"),
    ({"tag": ["测试"]}, "tag"),
    ({"exclude": {"supplier": ["up_1"], "status": ["paid"]}}, "exclude.supplier"),
    ({"exclude": {"tag": ["测试"]}}, "exclude.tag"),
    ({"intent": "top", "group_by": "supplier"}, "group_by"),
    ({"intent": "top", "metric": "profit", "sort": {"by": "metric", "dir": "desc"}}, "metric"),
]


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(("data", "name"), HIDDEN, ids=[name for _, name in HIDDEN])
def test_what_may_not_be_seen_is_not_answered(world: World, data: dict[str, Any], name: str) -> None:
    from chadan.platform.errors import Forbidden
    from chadan.search import service
    from chadan.search.order_query import OrderQuery
    from chadan.search.summaries import summarise

    query = OrderQuery.from_dict(data)
    ways = [service.find_orders, service.count_orders, service.status_counts, summarise]
    for whose, view in (("buyer", None), ("agent", "purchases"), ("unknowing", None)):
        for way in ways:
            with pytest.raises(Forbidden, match="You may not ask about") as refused:
                way(world.scopes[whose], query, view)
            assert refused.value.field == name
    for whose in ("merchant", "merchants", "agent", "operator"):
        assert summarise(world.scopes[whose], query).orders >= 0


def test_a_suppliers_number_is_known_to_its_shop_alone(world: World) -> None:
    from chadan.search.order_query import IdMatch, OrderQuery
    from chadan.search.service import find_orders

    def finds(whose: str, order: Any, ref: str, view: str | None = None) -> set[bool]:
        shapes = (
            IdMatch(equals=(ref,)),
            IdMatch(prefix=ref[:-1]),
            IdMatch(suffix=ref[1:]),
            IdMatch(contains=ref[1:-1]),
        )
        found = [find_orders(world.scopes[whose], OrderQuery(external_no=shape), view, None, 500) for shape in shapes]
        return {order["order_no"] in [row.order_no for row in page.rows] for page in found}

    def some(kind: int, whose: str, view: str | None = None) -> Any:
        return next(
            (order, ref)
            for order in world.orders
            if naive.visible(order, world.scopes[whose], view)
            for known, ref in order["refs"]
            if known == kind
        )

    for whose, view in (("buyer", None), ("agent", "purchases"), ("unknowing", None)):
        assert finds(whose, *some(3, whose, view), view) == {False}
        assert finds(whose, *some(1, whose, view), view) == {True}
    for whose in ("merchant", "operator"):
        assert finds(whose, *some(3, whose)) == {True}


def test_nobody_sees_nothing(world: World) -> None:
    from chadan.platform.scope import NOBODY
    from chadan.search.order_query import OrderQuery
    from chadan.search.service import count_orders, find_orders

    assert find_orders(NOBODY, OrderQuery()).rows == []
    assert count_orders(NOBODY, OrderQuery(text="138")) == (0, True)


def test_rows_carry_words_and_names(world: World) -> None:
    from chadan.search.order_query import IdMatch, OrderQuery
    from chadan.search.rows import row_dict
    from chadan.search.service import find_orders

    scope = world.scopes["merchant"]
    order = next(o for o in world.orders if o["merchant"].id in scope.merchants and o["paid_at"] and o["agent"])
    text = number.text(order["order_no"])
    (row,) = find_orders(scope, OrderQuery(order_no=IdMatch(equals=(text,)))).rows
    assert (row.number, row.status, row.category) == (text, order["status"], order["version"]["category"])
    assert (row.merchant, row.agent, row.title) == (
        order["merchant"].name,
        order["agent"].name,
        order["version"]["title"],
    )
    assert (row.placed_at, row.paid_at) == (order["placed_at"], order["paid_at"])
    data = row_dict(row)
    assert data["order_no"] == text
    assert datetime.fromisoformat(data["placed_at"]) == order["placed_at"]
    assert data["amount"] == f"{order['amount'] / 100:.2f}"
