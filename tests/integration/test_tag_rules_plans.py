"""What the rules ask of the database finds its orders by their keys, whatever the rule asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from tests.support.generate_orders import START, World, generate

from chadan.platform.config import Address

pytestmark = pytest.mark.integration
QUERIES = ["status:failed|after_sale", "amount:>50", "view:agent", '"测试"', "account:*0013*", "tag:测试", "-tag:测试",
           "ext:*4200*", "product:话费", "paid:2033-03.."]  # fmt: skip


@pytest.fixture(scope="module")
def world(database: Address) -> World:
    with psycopg.connect(
        host=database.host, port=database.port, dbname=database.name, user=database.user, password=database.password
    ) as owner:
        return generate(owner, seed=5, count=600)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def batch(world: World) -> tuple[Any, list[int]]:
    from chadan.platform.scope import INNER, Scope

    known = world.scopes["merchant"]
    scope = Scope(merchants=known.merchants[:1], homes=known.homes[:1], asks=INNER)
    return scope, [order["order_no"] for order in world.orders if order["merchant"].id in scope.merchants][:50]


def explained(session: Any, sql: str, params: Any) -> list[dict[str, Any]]:
    plan = session.rows(f"explain (format json) {sql}", params)[0][0]
    return list(nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))


@pytest.mark.parametrize(
    "beside", [{}, {"buyer_orders": 3, "buyer_days": 90}, {"buyer_orders": 3}, {"overdue": True}], ids=str
)
@pytest.mark.parametrize("text", QUERIES)
def test_a_batch_is_read_by_key(world: World, text: str, beside: dict[str, Any]) -> None:
    from chadan.platform.scope import scoped
    from chadan.search.beside import Beside
    from chadan.search.grammar import parse
    from chadan.search.matching import batch_statement, prepare

    scope, numbers = batch(world)
    with scoped(scope) as session:
        found = prepare(session, scope, parse(text, START).query, Beside(**beside))
        if found.nothing:
            pytest.skip("no such name in this shop")
        statement = batch_statement(found, numbers)
        for node in explained(session, statement.text, statement.params):
            name = node.get("Relation Name", "")
            assert not (node["Node Type"].endswith("Seq Scan") and name.startswith("order")), (text, node)
            used = node.get("Index Cond", "") + node.get("Recheck Cond", "")
            if name.startswith("orders") and node.get("Alias", "").startswith("o"):
                assert "order_no" in used, (text, node["Node Type"], used)
            if node.get("Alias", "").startswith("c") and name.startswith("orders"):
                assert "buyer_id" in used, node


def test_what_looks_at_the_clock_reads_open_orders_only(world: World) -> None:
    from chadan.platform.scope import scoped
    from chadan.search import compiler
    from chadan.search.beside import Beside
    from chadan.search.compiler import Segment
    from chadan.search.matching import prepare
    from chadan.search.order_query import OrderQuery
    from chadan.search.scope_sql import Sql

    scope, _numbers = batch(world)
    with scoped(scope) as session:
        found = prepare(session, scope, OrderQuery(), Beside(overdue=True))
        statement = compiler.numbers_statement(found, Segment(Sql("true"), "o.order_no desc"), 500)
        read = [
            node
            for node in explained(session, statement.text, statement.params)
            if node.get("Relation Name", "").startswith("orders")
        ]
    assert read and all("Seq Scan" not in node["Node Type"] for node in read)
