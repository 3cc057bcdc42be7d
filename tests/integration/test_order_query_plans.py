"""At a million orders no question reads a partition from end to end: the plans of what the services really send say so."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.million import million
from tests.support.queries import query_dicts, times

from chadan.bench.cases import COMBINED, SINGLE
from chadan.bench.keys import Shop, read_shops
from chadan.bench.sites import UNTIL
from chadan.platform.config import Address
from chadan.platform.migrate import connect
from chadan.platform.scope import OPERATOR, Scope, Session
from chadan.search.order_query import GROUPS, OrderQuery

pytestmark = pytest.mark.integration
OWNED = re.compile(r"orders|order_|external_refs")


class Explained(Exception):
    """The statement of interest has been planned; its answer is not needed."""


@dataclass
class Watch:
    """Plans every order statement in the session, role and settings it is sent in, instead of running it.

    The first `real` ones are run; after that there are no rows, or, when `stop`, the question ends there.
    """

    run: Callable[..., Any]
    real: int = 0
    stop: bool = False
    planned: int = 0
    sequential: list[str] = field(default_factory=list)

    def many(self, session: Session, statements: Any, *, search: bool = False) -> Any:
        answers = []
        for sql, params in statements:
            plain = sql.removeprefix("explain (format json) ")
            answers.append(self._one(session, plain, params, search=search))
        return answers

    def _one(self, session: Session, sql: str, params: Any, *, search: bool) -> Any:
        (rows,) = self.run(session, [(f"explain (format json) {sql}", params)], search=search)
        plan = json.loads(rows[0][0]) if isinstance(rows[0][0], str) else rows[0][0]
        self.sequential += [f"{name}: {sql[:1500]}" for name in scans(plan[0]["Plan"]) if OWNED.match(name)]
        if not re.search(r"\borders\b", sql):
            return self.run(session, [(sql, params)], search=search)[0]
        self.planned += 1
        if self.real:
            self.real -= 1
            return self.run(session, [(sql, params)], search=search)[0]
        if self.stop:
            raise Explained
        return []


def scans(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"].endswith("Seq Scan"):
        yield plan["Relation Name"]
    for inner in plan.get("Plans", []):
        yield from scans(inner)


@dataclass
class Ground:
    """Whose questions, and an order each of them sees."""

    shops: list[Shop]
    scopes: dict[str, tuple[Scope, str | None, int]]


@pytest.fixture(scope="module")
def ground(database: Address) -> Iterator[Ground]:
    with million() as site:
        shops = read_shops(site)
        with site.bare() as owner:
            total = owner.execute("select count(*) from orders").fetchone()
            bought = owner.execute(
                "select o.agent_id, m.home, o.order_no from orders o join merchants m on m.id = o.agent_id"
                " order by o.order_no limit 1"
            ).fetchone()
        assert total is not None
        assert total[0] > 950_000
        assert bought is not None
        large, small = shops[0], shops[-1]
        first = large.orders[3]
        yield Ground(
            shops,
            {
                "largest merchant": (large.scope, None, first.order_no),
                "its agent orders": (large.scope, "agent", first.order_no),
                "small merchant": (small.scope, None, small.orders[3].order_no),
                "buyer": (Scope(buyer=first.buyer_id), None, first.order_no),
                "agent's purchases": (Scope(merchants=(bought[0],), homes=(bought[1],)), "purchases", bought[2]),
                "operator": (OPERATOR, None, first.order_no),
            },
        )


def questions(shops: list[Shop]) -> Iterator[OrderQuery]:
    """Every filter alone and the commonest combinations, in the words of the largest shop and of a small one."""
    for shop in (shops[0], shops[-1]):
        for make in (*SINGLE.values(), *COMBINED.values()):
            data = make(shop, shop.orders[5], 1)
            if data is not None:
                yield OrderQuery.from_dict(data)


def ask(query: OrderQuery, scope: Scope, view: str | None, order_no: int, turn: int) -> Watch:
    """Everything that can be asked about one query: list, next page, count, tabs, numbers, older, neighbours, export."""
    from chadan.exports.columns import Column
    from chadan.exports.source import Reader, Request
    from chadan.search.compiler_export import Moments
    from chadan.search.cursor import Cursor, encode
    from chadan.search.permitted import without_hidden
    from chadan.search.service import count_orders, find_orders, neighbours, older_matches, status_counts
    from chadan.search.summaries import summarise

    def heard(asked: OrderQuery) -> OrderQuery:
        return without_hidden(scope, asked, view)[0]

    query = heard(query)
    watch = Watch(Session.many)
    group = GROUPS[turn % len(GROUPS)]
    cursor = encode(Cursor(order_no, 1_000_000_000), scope, query, view)
    request = Request(scope, query, view, 3_000_000_000_000_000_000)
    single = tuple(column for column in Column if column.value not in ("payment_no", "payment_out_no", "supplier_no"))
    asked: list[tuple[Callable[[], object], int, bool]] = [
        (lambda: find_orders(scope, query, view, now=UNTIL), 0, False),
        (lambda: find_orders(scope, query, view, cursor, now=UNTIL), 0, False),
        (lambda: status_counts(scope, query, view), 0, False),
        (lambda: older_matches(scope, query, view), 0, False),
        (lambda: neighbours(scope, query, order_no, view), 1, False),
        (lambda: count_orders(scope, query, view), 0, True),
        (lambda: summarise(scope, query.replace(intent="sum", sort=None), view), 0, True),
        (lambda: summarise(scope, heard(query.replace(intent="avg", group_by=group, sort=None)), view), 0, True),
        (lambda: summarise(scope, heard(query.replace(intent="top", group_by=group, sort=None)), view), 0, True),
        (lambda: Reader(request, single, Moments.TEXT, list).after(order_no, 1000), 0, True),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Session, "many", lambda self, statements, *, search=False: watch.many(self, statements, search=search)
        )
        for question, watch.real, watch.stop in asked:
            with contextlib.suppress(Explained):
                question()
    return watch


def test_no_question_reads_a_partition_sequentially(ground: Ground) -> None:
    sequential: list[str] = []
    for name, (scope, view, order_no) in ground.scopes.items():
        planned = 0
        for turn, query in enumerate(questions(ground.shops)):
            watch = ask(query, scope, view, order_no, turn)
            planned += watch.planned
            sequential += [f"{name}, {query.to_json()}: {found}" for found in watch.sequential]
        assert planned > 500
    assert not sequential, "\n".join(sequential[:5])


def test_a_sequential_read_would_be_noticed(ground: Ground) -> None:
    from chadan.platform.scope import scoped

    watch = Watch(Session.many)
    with scoped(OPERATOR) as session:
        watch.many(session, [("select count(*) from orders where quantity + 0 = 3", ())])
    assert any(found.startswith("orders_") for found in watch.sequential)


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=query_dicts(), near=st.none() | times(datetime(2024, 1, 1), datetime(2027, 12, 31)))  # noqa: DTZ001 - local
def test_nor_does_one_nobody_thought_of(ground: Ground, data: dict[str, Any], near: dict[str, str] | None) -> None:
    kept = {key: value for key, value in data.items() if key not in ("intent", "metric", "group_by")}
    query = OrderQuery.from_dict(kept | {"time": near} if near else kept)
    for turn, (scope, view, order_no) in enumerate(ground.scopes.values()):
        watch = ask(query, scope, view, order_no, turn)
        assert not watch.sequential, watch.sequential[0]


def test_the_planner_knows_what_belongs_to_a_merchant(database: Address) -> None:
    """Without these statistics a filtered list of a large shop reads and sorts every match."""
    with connect(database) as connection:
        rows = connection.execute(
            "select i.inhrelid::regclass::text, count(s.oid) from pg_inherits i"
            " left join pg_statistic_ext s on s.stxrelid = i.inhrelid"
            " where i.inhparent = 'orders'::regclass group by 1"
        ).fetchall()
    assert rows
    assert {count for _part, count in rows} == {2}
