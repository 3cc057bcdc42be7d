"""Every type of event that any room writes has words on the timeline, in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from chadan.orders.states import OrderStatus

pytestmark = pytest.mark.integration
SOURCES = Path(__file__).parents[2] / "src" / "chadan"
PLACE = 2
"""Where `events.append` and what hands its event type on take the type."""


@pytest.fixture(autouse=True)
def ready(database: Any) -> None:
    """The timeline's module wants Django set up."""


def told(*moments: tuple[str, str, dict[str, Any]]) -> list[Any]:
    """The timeline of (type, kind of actor, data), newest first."""
    from chadan.orders.detail import Moment
    from chadan.web.orders import timeline

    return timeline.told([Moment(datetime.now(UTC), kind, "", actor, data) for kind, actor, data in moments])


def modules() -> Iterator[ast.Module]:
    """The modules that may write events; benchmarks touch orders of their own databases."""
    for path in SOURCES.rglob("*.py"):
        source = path.read_text()
        if "append(" in source and path.parent.name != "bench":
            yield ast.parse(source)


def is_append(call: ast.Call) -> bool:
    """`events.append(session, order_no, type, actor, …)`, or the bare name it was imported by."""
    named = isinstance(call.func, ast.Name) and call.func.id == "append"
    of_events = isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "events.append"
    return (named or of_events) and len(call.args) > PLACE


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def constants(tree: ast.Module) -> dict[str, str]:
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
    return found


def types_of(tree: ast.Module, given: ast.expr) -> set[str]:
    """The type as written, as a constant of the module, or as the callers of the function around it hand it in."""
    if isinstance(given, ast.Constant):
        return {str(given.value)}
    name = ast.unparse(given)
    if name in constants(tree):
        return {constants(tree)[name]}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and name in (names := [each.arg for each in function.args.args]):
            handed = [call.args[names.index(name)] for call in calls(tree) if ast.unparse(call.func) == function.name]
            return set().union(*(types_of(tree, each) for each in handed))
    raise AssertionError(f"no event type can be read from {name}")


def written() -> set[str]:
    """Every event type in the code."""
    found = {f"order.{status}" for status in OrderStatus}
    for tree in modules():
        for call in calls(tree):
            if is_append(call):
                found |= types_of(tree, call.args[PLACE])
    return found


def test_the_code_is_read() -> None:
    assert {"payment.alert", "refund.done", "tag.removed", "delivery.retried", "order.escalated"} <= written()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_event_type_has_words(language: str) -> None:
    with translation.override(language):
        said = told(*((kind, "system", {}) for kind in sorted(written())))
    assert not [one.what for one in said if re.search(r"[a-z]\.[a-z]", one.what)]
    if language == "zh-hans":
        assert not [one.what for one in said if one.what.isascii()]
        assert {one.actor for one in said} == {"系统"}


def test_no_words_are_left_of_types_nobody_writes() -> None:
    from chadan.web.orders.timeline import WORDS

    sql = "".join(path.read_text() for path in SOURCES.rglob("*") if path.suffix in (".py", ".sql"))
    assert set(WORDS) <= written() | set(re.findall(r"[\"']([a-z_]+\.[a-z_]+|imported)[\"']", sql))


def test_a_note_says_sum_and_reason() -> None:
    with translation.override("en"):
        alert, refund = told(
            ("refund.done", "system", {"amount": 150, "to_wallet": True, "reason": "short"}),
            ("payment.alert", "gateway", {"verdict": "wrong_payee", "amount": -1}),
        )
    assert refund.note == "¥1.50 · into the wallet · short"
    assert alert.note == "Somebody else was paid."
