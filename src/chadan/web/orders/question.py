"""What the list page says of a question in natural language: how it was understood, the answer, other readings."""

from __future__ import annotations

from typing import Any

from chadan.accounts.actors import Actor
from chadan.asking.answering import Answer, answer
from chadan.asking.explaining import alternatives, sentence
from chadan.asking.notes import is_remark
from chadan.orders import number
from chadan.search.order_query import OrderQuery
from chadan.web.orders.state import ListState


def understanding_of(actor: Actor, state: ListState) -> dict[str, Any] | None:
    """For `orders/understood.html`; None for a list that was not asked for in words and asks for no number.

    `state` is the list as it is shown, after other readings were tried.
    """
    said = state.meant.said if state.meant else None
    if state.meant is None or said is None:
        return _explained(state, answer(actor.scope, state.asked, state.view)) if state.asked else None
    now = number.now()
    ignored = state.meant.ignored(state.query)
    found = answer(actor.scope, state.asked, state.view) if state.asked else None
    parts = sentence(state.question, said, state.q, now)
    return {
        **_explained(state, found),
        "parts": parts,
        "remarks": [problem.message for problem in state.problems if is_remark(problem)],
        "alternatives": [(one.text, state.link(one.query)) for one in alternatives(state.question, now, parts)],
        "ignored": ignored,
        "text_url": state.link(OrderQuery(text=ignored)) if ignored else "",
    }


def _explained(state: ListState, found: Answer | None) -> dict[str, Any]:
    bars = [(bar, state.link(bar.query) if bar.query else "") for bar in found.bars] if found else []
    return {"answer": found, "bars": bars}
