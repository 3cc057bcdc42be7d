"""`bench sql`: the time of all SQL a question sends, beside one bare statement, and at 10 million orders beside 1 million."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from chadan.bench import tape
from chadan.bench.cases import Ask, cases, fragments
from chadan.bench.figures import Bar, Result, milliseconds, percentile, take_turns
from chadan.bench.keys import Shop, read_shops
from chadan.bench.sites import UNTIL, Site
from chadan.search import compiler, service
from chadan.search.cursor import Cursor, decode, encode
from chadan.search.scope_sql import Sql, joined

ROUNDS = 5
FULL = service.PAGE
GROWTH = Bar("ratio", most=1.3)
FRAGMENT = Bar("p95", most=30.0)
BARE = "the same condition in one statement, as the owner: no scope, policies, transaction, names"


@dataclass(slots=True)
class Asked:
    """A question as a site answers it: what it sends, the bare statement beside it, how many rows came back."""

    tape: tape.Tape
    bare: Sql
    rows: int


def bench_sql(site: Site, smaller: Site | None) -> Iterator[Result]:
    """Every case at this size, and its growth from the smaller size where there is one."""
    yield from _measured(site, smaller, cases)


def bench_fragment(site: Site, _smaller: Site | None) -> Iterator[Result]:
    """Account fragments: the 95th percentile counts."""
    for result in _measured(site, None, fragments):
        result.bar = FRAGMENT
        yield result


def _measured(
    site: Site, smaller: Site | None, source: Callable[[list[Shop]], Iterator[tuple[str, list[Ask]]]]
) -> Iterator[Result]:
    sites = [site] if smaller is None else [site, smaller]
    asked = [dict(source(_entered(one))) for one in sites]
    with site.product() as here, site.bare() as bare, (smaller or site).product() as there:
        for name in asked[0]:
            recorded = []
            for one, questions in zip(sites, asked, strict=True):
                one.enter()
                recorded.append([answer for ask in questions[name] if (answer := _record(ask)) is not None])
            keys = min(map(len, recorded))
            if not keys:
                continue
            mine = recorded[0]
            sides: dict[str, Callable[[int], None]] = {
                "value": lambda key, mine=mine: tape.play(here, mine[key].tape),  # type: ignore[misc]
                "bare": lambda key, mine=mine: _bare(bare, mine[key].bare),  # type: ignore[misc]
            }
            if smaller is not None:
                sides["smaller"] = lambda key, theirs=recorded[1]: tape.play(there, theirs[key].tape)  # type: ignore[misc]
            taken = take_turns(sides, keys, ROUNDS if keys > 2 else ROUNDS * 4)
            full = all(answer.rows >= FULL for answers in recorded for answer in answers[:keys])
            yield from _results(name, taken, mine[:keys], full=full)


def _entered(site: Site) -> list[Shop]:
    site.enter()
    return read_shops(site)


def _results(name: str, taken: dict[str, list[float]], mine: list[Asked], *, full: bool) -> Iterator[Result]:
    values = taken["value"]
    seen: dict[str, Any] = {
        "p95": percentile(values, 0.95) * 1000,
        "statements": max(answer.tape.statements for answer in mine),
        "rows": sorted(answer.rows for answer in mine)[len(mine) // 2],
    }
    value, n = milliseconds(values), len(values)
    yield Result(name, value, "ms", n, milliseconds(taken["bare"]), BARE, extra=seen)
    if "smaller" in taken:
        judged = full or name.startswith(("lookup", "count", "tabs"))
        bar = GROWTH if judged and not name.startswith(("count", "tabs")) else None
        growth = Result(f"growth of {name}", value, "ms", n, milliseconds(taken["smaller"]), "1M orders", bar)
        growth.extra = {"fills a page": full}
        yield growth


def _bare(connection: tape.Connection, statement: Sql) -> None:
    connection.execute(statement.text, statement.params or None).fetchall()


def _record(ask: Ask) -> Asked | None:
    """What the services send for a question; None when its page does not exist here."""
    cursor = None
    if ask.page > 1:
        cursor = _cursor_of(ask)
        if cursor is None:
            return None
    with tape.recording() as taken:
        rows = _answer(ask, cursor)
    return Asked(taken, _bare_statement(ask, cursor), rows)


def _answer(ask: Ask, cursor: str | None) -> int:
    if ask.kind == "count":
        return service.count_orders(ask.scope, ask.query, ask.view).total
    if ask.kind == "tabs":
        return sum(count.total for count in service.status_counts(ask.scope, ask.query, ask.view).values())
    return len(service.find_orders(ask.scope, ask.query, ask.view, cursor, now=UNTIL).rows)


def _cursor_of(ask: Ask) -> str | None:
    """The cursor a walk to the page would end with."""
    from chadan.platform.scope import scoped

    order = compiler.order_of(ask.query.sort)
    before = (ask.page - 1) * service.PAGE
    with scoped(ask.scope) as session:
        found = service.prepare(session, ask.scope, ask.query, ask.view)
        where, by = found.within(), order.clause(back=False, valueless=False)
        text = f"select o.order_no, o.amount from orders o where {where.text} order by {by} limit 1 offset {before - 1}"
        rows = session.rows(text, where.params)
    if not rows:
        return None
    order_no, amount = rows[0]
    return encode(
        Cursor(order_no, compiler.cursor_value(order, amount, None), seen=before), ask.scope, ask.query, ask.view
    )


def _bare_statement(ask: Ask, cursor: str | None) -> Sql:
    """The question's condition alone, straight on the table."""
    from chadan.platform.scope import scoped

    order = compiler.order_of(ask.query.sort)
    with scoped(ask.scope) as session:
        found = service.prepare(session, ask.scope, ask.query, ask.view, status=ask.kind != "tabs")
    if ask.kind == "count":
        return compiler.count_statement(found)
    if ask.kind == "tabs":
        from chadan.orders.states import OrderStatus

        return compiler.status_counts_statement(found, len(OrderStatus))
    at = decode(cursor, ask.scope, ask.query, ask.view) if cursor else None
    segment = next(compiler.segments(found, order, at, UNTIL))
    where = joined((found.within(), segment.where))
    text = f"select o.* from orders o where {where.text} order by {segment.order_by} limit {service.PAGE + 1}"
    return Sql(text, where.params)
