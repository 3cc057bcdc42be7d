"""Order SQL lives in few, known places; roles are switched in one; every order query is scoped and names its home."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "chadan"
ORDER_SQL = re.compile(
    r"\b(?:from|join|update|into|copy|table|truncate)\s+(?:only\s+)?\"?(orders|order_[a-z]+|external_refs)\b(?!\()",
    re.IGNORECASE,
)
SET_ROLE = re.compile(
    r"\b(?:set\s+(?:local\s+|session\s+)?role|reset\s+role|set\s+session\s+authorization)\b", re.IGNORECASE
)

ALLOWED = {
    "search/compiler.py": "lists and counts: every statement carries scope_predicate",
    "search/compiler_aggregate.py": "sums and rankings: same filter, same predicate",
    "search/compiler_export.py": "whole-query exports: chunks of the same filter, same predicate",
    "search/beside.py": "conditions on the order in hand: its buyer's orders in the same shop and home, its latest delivery",
    "search/matching.py": "which orders of a batch match: same filter, same predicate, by primary key",
    "search/filters.py": "the numbers outside an order, as a semi-join inside a scoped statement",
    "search/names.py": "outside numbers looked up by value, limited to the scope's homes",
}
"""Folders whose job is to write or read single orders by number, each with its reason."""
ALLOWED_FOLDERS = {
    "orders": "the order's own statements, by (order_no, home)",
    "seeding": "bulk loading with the owner's rights",
    "integrations": "bulk loading of imported orders",
    "exports": "streams the compiler's own statement, and the export's events",
    "payments": "payments and refunds of one order, by (order_no, home) in its merchant's scope",
    "delivery": "deliveries and cards of one order, by (order_no, home) in its merchant's scope",
    "eventlog": "the sequencer and its consumers read events in log order, as the owner",
    "bench": "bare SQL is the floor the product is measured against",
    "ops": "doctor and health: counts, never rows; what is stuck: the operator's own list, by the index of open orders",
    "platform": "rights and partitions",
}


def strings(path: Path) -> Iterator[str]:
    """Every string in a module but its docstrings, f-strings joined."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), path


def test_order_sql_stands_only_where_it_is_allowed() -> None:
    found = {
        name
        for name, path in modules()
        if name.split("/")[0] not in ALLOWED_FOLDERS and any(ORDER_SQL.search(text) for text in strings(path))
    }
    assert found - set(ALLOWED) == set()


def test_the_allow_list_holds_nothing_stale() -> None:
    names = dict(modules())
    stale = [name for name in ALLOWED if not any(ORDER_SQL.search(text) for text in strings(names[name]))]
    assert stale == []


def test_roles_are_switched_in_the_scope_only() -> None:
    found = {name for name, path in modules() if any(SET_ROLE.search(text) for text in strings(path))}
    assert found <= {"platform/scope.py"}


def test_search_rights_are_asked_for_by_the_search_room_only() -> None:
    asking = re.compile(r"search\s*=\s*(?:True|found\.search)")
    found = {name for name, path in modules() if asking.search(path.read_text(encoding="utf-8"))}
    assert {name for name in found if not name.startswith(("search/", "platform/scope.py"))} <= {"exports/source.py"}


def test_every_order_query_is_scoped_and_names_its_home() -> None:
    from chadan.platform.scope import OPERATOR, Scope
    from chadan.search.filters import build
    from chadan.search.names import Names
    from chadan.search.order_query import OrderQuery
    from chadan.search.permitted import Permitted
    from chadan.search.scope_sql import scope_predicate

    seller = Scope(merchants=(4, 5), homes=(7, 8))
    for view in (None, "sales", "agent"):
        where = build(Permitted(seller, OrderQuery(role_view=view)), Names()).where
        assert "o.merchant_id = any" in where.text
        assert "o.home = any" in where.text
        assert [7, 8] in where.params
    assert scope_predicate(Scope(buyer=3)).text == "o.buyer_id = %s::bigint"
    assert scope_predicate(seller, "purchases").text == "o.agent_id = any(%s::bigint[])"
    assert scope_predicate(OPERATOR).text == "true"
    assert scope_predicate(Scope()).text == "false"
    assert scope_predicate(seller, "consumer").text == "false"
