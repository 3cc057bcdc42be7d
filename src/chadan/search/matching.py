"""Which orders a query means, by number: those of a batch for rules, all of them piece by piece for jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chadan.platform.scope import Scope, Session, scoped
from chadan.search import compiler, service
from chadan.search.beside import Beside
from chadan.search.compiler import Segment
from chadan.search.filters import Filter
from chadan.search.order_query import OrderQuery
from chadan.search.scope_sql import Sql, among, joined, scope_predicate

NOTHING = Beside()


def prepare(session: Session, scope: Scope, query: OrderQuery, beside: Beside = NOTHING) -> Filter:
    """The filter of a query and what stands beside it. Raises Forbidden when the scope may not ask the query."""
    found = service.prepare(session, scope, query)
    if beside.nothing:
        return found
    where = joined((found.where, *beside.conditions()))
    # The search role reads orders alone; open orders are few, a fragment among them needs no index of its own.
    return replace(found, where=where, search=found.search and not beside.overdue)


def batch_statement(found: Filter, numbers: Sequence[int]) -> Sql:
    """Which of `numbers` match: read by primary key, whatever else the filter asks."""
    where = joined((among("o.order_no", numbers, "bigint"), found.within()))
    return Sql(f"select o.order_no from orders o where {where.text}", where.params)


def among_numbers(
    session: Session, scope: Scope, query: OrderQuery, numbers: Sequence[int], beside: Beside = NOTHING
) -> set[int]:
    """Which of the orders the query means. Runs as the application: what is found by its number needs no other index."""
    if not numbers:
        return set()
    found = prepare(session, scope, query, beside)
    if found.nothing:
        return set()
    statement = batch_statement(found, numbers)
    return {row[0] for row in session.rows(statement.text, statement.params)}


def numbers_below(  # noqa: PLR0917 - a question and a place in its answer
    session: Session, scope: Scope, query: OrderQuery, below: int | None, limit: int, beside: Beside = NOTHING
) -> list[int]:
    """Up to `limit` order numbers that match, the newest below `below` first."""
    found = prepare(session, scope, query, beside)
    if found.nothing:
        return []
    after = Sql("true") if below is None else Sql("o.order_no < %s::bigint", (below,))
    statement = compiler.numbers_statement(found, Segment(after, "o.order_no desc"), limit)
    return [row[0] for row in session.rows(statement.text, statement.params, search=found.search)]


def count(scope: Scope, query: OrderQuery, beside: Beside = NOTHING) -> service.Count:
    """How many orders match, as `service.count_orders` counts."""
    with scoped(scope) as session:
        return service.count_in(session, prepare(session, scope, query, beside))


def tag_counts(scope: Scope, tag_ids: Sequence[int]) -> dict[int, service.Count]:
    """How many orders bear each tag, counted up to the cap of every count."""
    counts: dict[int, service.Count] = {}
    with scoped(scope) as session:
        seen = scope_predicate(scope)
        statements = []
        for tag_id in tag_ids:
            where = joined((seen, Sql("o.tags && %s::integer[]", ([tag_id],))))
            statement = compiler.count_statement(Filter(where=where, search=True))
            statements.append((statement.text, statement.params))
        answers = session.many(statements, search=True) if statements else []
    for tag_id, rows in zip(tag_ids, answers, strict=True):
        held = int(rows[0][0])
        counts[tag_id] = service.Count(min(held, compiler.COUNT_CAP), held < compiler.COUNT_CAP)
    return counts
