"""OrderQuery takes exactly what its schema allows, and says which field is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.queries import queries, query_dicts

from chadan.platform.errors import InvalidQuery
from chadan.search.order_query import OrderQuery

SCHEMA = json.loads((Path(__file__).parents[1] / "support" / "orderquery.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@given(query_dicts())
def test_reads_what_the_schema_allows_and_writes_it_back(data: dict[str, Any]) -> None:
    VALIDATOR.validate(data)
    query = OrderQuery.from_dict(data)
    assert query.to_dict() == data
    assert OrderQuery.from_json(query.to_json()) == query
    assert hash(query) == hash(OrderQuery.from_dict(data))


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**6), st.floats(0, 5), st.just([]), st.just({}), st.just(""),
    st.just("paid"), st.just(["paid", "paid"]), st.just(["x", "x"]), st.just([1]), st.just("2026-13-01T00:00:00"),
    st.just({"min": 1.0}), st.just({"min": True}), st.just({"field": "placed"}), st.just({"by": "amount"}),
    st.just({"prefix": ""}), st.just({"equals": []}), st.just("list"), st.just({"nope": 1}),
)  # fmt: skip


@given(query_dicts(), st.sampled_from([*SCHEMA["properties"], "nope"]), leaves)
@settings(max_examples=400)
def test_refuses_what_the_schema_refuses(data: dict[str, Any], name: str, leaf: Any) -> None:
    data = {**data, name: leaf}
    if VALIDATOR.is_valid(data):
        OrderQuery.from_dict(data)
        return
    with pytest.raises(InvalidQuery) as error:
        OrderQuery.from_dict(data)
    assert error.value.field.startswith(name)
    assert error.value.message.endswith(".")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"amount": {"min": 2, "max": 1}}, "amount"),
        ({"time": {"field": "placed", "from": "2026-02-01T00:00:00", "to": "2026-01-01T00:00:00"}}, "time"),
        ({"time": {"field": "placed", "from": "2026-02-30T00:00:00"}}, "time.from"),
        ({"time": {"field": "placed", "from": "2026-02-01T00:00:00\n"}}, "time.from"),
        ({"text": "x" * 501}, "text"),
        ({"tag": [str(n) for n in range(201)]}, "tag"),
        ({"text": "a\0b"}, "text"),
        ({"buyer": ["\ud800"]}, "buyer"),
        ({"amount": {"min": 2**63}}, "amount.min"),
    ],
)
def test_limits_have_a_sentence(data: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidQuery) as error:
        OrderQuery.from_dict(data)
    assert error.value.field == field


def test_large_input_is_refused_unread() -> None:
    with pytest.raises(InvalidQuery, match="64 KB"):
        OrderQuery.from_json('{"text": "' + "x" * 10_000_000)
    many = {name: ["y" * 499 + chr(65 + n) + str(n) for n in range(100)] for name in ("tag", "buyer", "agent")}
    with pytest.raises(InvalidQuery):
        OrderQuery.from_dict(many)


@pytest.mark.parametrize("raw", ["", "[]", "null", "{", b"\xff", "[" * 100_000])
def test_malformed_json_is_no_traceback(raw: str | bytes) -> None:
    with pytest.raises(InvalidQuery):
        OrderQuery.from_json(raw)


@given(queries(), queries())
def test_fingerprint_follows_the_meaning(one: OrderQuery, other: OrderQuery) -> None:
    shuffled = one.replace(tag=tuple(reversed(one.tag)), limit=7)
    assert one.fingerprint() == shuffled.fingerprint()
    if one.fingerprint() == other.fingerprint():
        assert {name: value for name, value in one.to_dict().items() if name != "limit"}.keys() == {
            name for name in other.to_dict() if name != "limit"
        }


@given(queries())
def test_merging_keeps_what_is_set(query: OrderQuery) -> None:
    assert OrderQuery().merged(query) == query
    assert query.merged(OrderQuery()) == query
