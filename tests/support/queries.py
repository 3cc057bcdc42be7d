"""Hypothesis strategies for order queries: the whole schema, with names and numbers that provoke."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from chadan.orders.states import Category, OrderStatus, PaymentMethod
from chadan.search import order_query as oq

NASTY = [
    "%",
    "_",
    "\\",
    "\\%",
    "'",
    '"',
    "a'b",
    '"x"',
    "50%",
    "a_b",
    "测试",
    "É",
    "Straße",
    "a|b",
    "a,b",
    "*",
    "1*2",
    "a:b",
    "-x",
]

FIRST = datetime.fromisoformat("0001-01-01")
LAST = datetime.fromisoformat("9999-12-31")

texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=12),
)


def strings(one: st.SearchStrategy[str] = texts) -> st.SearchStrategy[list[str]]:
    return st.lists(one, min_size=1, max_size=3, unique=True)


def words(kind: type) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([str(word) for word in kind]), min_size=1, max_size=4, unique=True)


def ids(one: st.SearchStrategy[str] = texts) -> st.SearchStrategy[dict[str, Any]]:
    optional = {"equals": strings(one), "prefix": one, "suffix": one, "contains": one}
    return st.fixed_dictionaries({}, optional=optional).filter(bool)


@st.composite
def ranges(draw: st.DrawFn, top: int = 10**12) -> dict[str, int]:
    low, high = sorted((draw(st.integers(0, top)), draw(st.integers(0, top))))
    return draw(st.sampled_from([{"min": low}, {"max": high}, {"min": low, "max": high}, {"min": low, "max": low}]))


@st.composite
def times(draw: st.DrawFn, first: datetime = FIRST, last: datetime = LAST) -> dict[str, str]:
    moments = st.one_of(
        st.datetimes(first, last).map(lambda moment: moment.replace(microsecond=0)),
        st.datetimes(first, last).map(lambda moment: moment.replace(hour=0, minute=0, second=0, microsecond=0)),
    )
    start, end = sorted((draw(moments), draw(moments)))
    if start == end:
        start, end = (
            (start - timedelta(days=1), end) if start - FIRST >= timedelta(days=1) else (start, end + timedelta(days=1))
        )
    bounds = {"from": start.isoformat(), "to": end.isoformat()}
    drop = draw(st.sampled_from(["", "from", "to"]))
    bounds.pop(drop, None)
    return {"field": draw(st.sampled_from(oq.TIME_FIELDS)), **bounds}


def members(one: st.SearchStrategy[str] = texts) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "account": ids(one),
        "status": words(OrderStatus),
        "category": words(Category),
        "payment_method": words(PaymentMethod),
        **{name: strings(one) for name in oq.NAME_FIELDS},
    }


def query_dicts() -> st.SearchStrategy[dict[str, Any]]:
    """Any object valid under the schema whose bounds are in order."""
    excluded = st.fixed_dictionaries({}, optional=members()).filter(bool)
    sort = st.fixed_dictionaries({"by": st.sampled_from(oq.SORTS), "dir": st.sampled_from(["asc", "desc"])})
    optional = {
        "intent": st.sampled_from(oq.INTENTS[1:]),
        "metric": st.sampled_from(oq.METRICS[1:]),
        "group_by": st.sampled_from(oq.GROUPS),
        "order_no": ids(),
        "external_no": ids(),
        **members(),
        "time": times(),
        "has_after_sale": st.booleans(),
        "face_value": ranges(),
        "amount": ranges(),
        "quantity": ranges(),
        "role_view": st.sampled_from(oq.ROLE_VIEWS),
        "exclude": excluded,
        "sort": sort,
        "limit": st.integers(1, 10**6),
        "text": texts,
    }
    return st.fixed_dictionaries({}, optional=optional)


def queries() -> st.SearchStrategy[oq.OrderQuery]:
    return query_dicts().map(oq.OrderQuery.from_dict)
