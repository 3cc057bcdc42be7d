"""SQL fragments with their parameters, and the one predicate that says whose orders a statement may read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chadan.platform.scope import Scope


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL with its bound parameters, in order."""

    text: str
    params: tuple[Any, ...] = ()


TRUE = Sql("true")
FALSE = Sql("false")


def joined(parts: Iterable[Sql], by: str = " and ") -> Sql:
    """The parts joined; TRUE when there are none."""
    kept = [part for part in parts if part is not TRUE]
    if not kept:
        return TRUE
    return Sql(by.join(part.text for part in kept), tuple(value for part in kept for value in part.params))


def any_of(parts: Iterable[Sql]) -> Sql:
    """The parts as alternatives, in brackets; FALSE when there are none."""
    kept = [part for part in parts if part is not FALSE]
    if not kept:
        return FALSE
    both = joined(kept, " or ")
    return Sql(f"({both.text})", both.params)


def not_matching(part: Sql) -> Sql:
    """True where `part` is false or unknown: an order without a supplier is no order of that supplier."""
    return Sql(f"({part.text}) is not true", part.params)


def among(column: str, values: Iterable[int], kind: str) -> Sql:
    """`column` is one of `values`; a single value is compared directly, which keeps an index's order."""
    listed = sorted(set(values))
    if not listed:
        return FALSE
    if len(listed) == 1:
        return Sql(f"{column} = %s::{kind}", (listed[0],))
    return Sql(f"{column} = any(%s::{kind}[])", (listed,))


def scope_predicate(scope: Scope, view: str | None = None) -> Sql:
    """The condition on `orders o` that every order query carries.

    `view` is a role view (`consumer`, `sales`, `agent`), `purchases` (what the scope's merchants bought as agents)
    or None. A view the scope has no part in matches nothing. A buyer's lists, an agent's purchases and the
    operator's fan out over all homes.
    """
    if view == "purchases":
        return among("o.agent_id", scope.merchants, "bigint")
    sold = {"sales": Sql("o.agent_id is null"), "agent": Sql("o.agent_id is not null")}.get(view or "", TRUE)
    if scope.operator:
        return sold
    if scope.merchants and view != "consumer":
        return joined(
            (among("o.merchant_id", scope.merchants, "bigint"), among("o.home", scope.homes, "smallint"), sold)
        )
    if scope.buyer is not None and sold is TRUE:
        return Sql("o.buyer_id = %s::bigint", (scope.buyer,))
    return FALSE


def homes_predicate(scope: Scope, column: str, view: str | None = None) -> Sql:
    """Keeps a lookup beside orders on the scope's homes; TRUE where the scope fans out."""
    if scope.merchants and view not in ("purchases", "consumer"):
        return among(column, scope.homes, "smallint")
    return TRUE
