"""No question about orders reads a partition from end to end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from tests.support.generate_orders import DAYS, START, World, generate

from chadan.orders import number
from chadan.platform.config import Address

pytestmark = pytest.mark.integration
QUESTIONS = [
    "", "date:2033-03", "status:paid", "status:paid|failed", "category:phone_topup", "product:话费", "variant:年卡",
    "amount:>50", "face:100", "qty:1", "pay:微信", "platform:taobao", "account:13800138000", "account:*8000",
    "account:*0013*", "tag:测试", "-tag:测试", "supplier:up_1", "no:330301*", "ext:4200*", "paid:2033-03",
    "completed:2033-03", "refunded:2033-03", "sort:-amount", "sort:-paid_at", "sort:placed_at", "aftersale:yes",
    "view:agent", "view:sales", '"测试"', "-status:cancelled -account:138*", "date:2033-03 status:paid amount:10..500",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(database: Address) -> World:
    with psycopg.connect(
        host=database.host, port=database.port, dbname=database.name, user=database.user, password=database.password
    ) as owner:
        return generate(owner, seed=2, count=600)


def scans(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"].endswith("Seq Scan"):
        yield plan["Relation Name"]
    for inner in plan.get("Plans", []):
        yield from scans(inner)


@pytest.mark.parametrize("text", QUESTIONS)
def test_no_partition_is_scanned(world: World, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from chadan.platform.scope import Session
    from chadan.search.grammar import parse
    from chadan.search.permitted import without_hidden
    from chadan.search.service import count_orders, find_orders, status_counts
    from chadan.search.summaries import summarise

    now = START + timedelta(days=DAYS)
    asked = parse(text, now).query
    sent: list[tuple[str, Any, bool]] = []
    run: Callable[..., Any] = Session.many

    def watched(self: Session, statements: Any, *, search: bool = False) -> Any:
        if "enable_seqscan" not in str(statements):
            sent.extend((sql, params, search) for sql, params in statements if not sql.startswith("explain"))
            explained = [(f"explain (format json) {sql}", params) for sql, params in statements if sql[:7] != "explain"]
            for rows in run(self, explained, search=search):
                plan = rows[0][0]
                plan = json.loads(plan) if isinstance(plan, str) else plan
                bad = [name for name in scans(plan[0]["Plan"]) if name.startswith("orders")]
                assert not bad, (text, bad[:2], self.scope, [s[0][:90] + s[0][-120:] for s in statements])
        return run(self, statements, search=search)

    monkeypatch.setattr(Session, "many", watched)
    for name, scope in world.scopes.items():
        view = "purchases" if name == "agent" else None
        query, _hidden = without_hidden(scope, asked, view)
        find_orders(scope, query, view, now=now)
        count_orders(scope, query, view)
        status_counts(scope, query, view)
        summarise(scope, query.replace(intent="sum", group_by="day"), view)
    assert sent


def test_one_number_reads_one_partition(world: World) -> None:
    from chadan.platform.scope import scoped
    from chadan.search import compiler
    from chadan.search.order_query import IdMatch, OrderQuery
    from chadan.search.service import prepare

    scope = world.scopes["merchant"]
    order = next(order for order in world.orders if order["merchant"].id in scope.merchants)
    query = OrderQuery(order_no=IdMatch(equals=(number.text(order["order_no"]),)))
    with scoped(scope) as session:
        found = prepare(session, scope, query)
        (segment,) = compiler.segments(found, compiler.Order(), None, START)
        statement = compiler.list_statement(found, segment, 51)
        plan = session.rows(f"explain {statement.text}", statement.params)
    tables = {row[0].split(" on ")[1].split()[0] for row in plan if " on orders" in row[0]}
    assert len(tables) == 1
