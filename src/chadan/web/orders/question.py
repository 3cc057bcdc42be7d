"""What the list page says of a question in natural language: how it was understood, the answer, other readings."""

from __future__ import annotations

from typing import Any

from chadan.accounts.actors import Actor
from chadan.asking.answering import answer
from chadan.asking.explaining import alternatives, sentence
from chadan.orders import number
from chadan.platform.errors import Forbidden
from chadan.web.orders.state import ListState


def understanding_of(actor: Actor, typed: ListState, state: ListState) -> dict[str, Any] | None:
    """For `orders/understood.html`; None for a list that was not asked for in words and asks for no number.

    `typed` is the list as the text was first read, `state` as it is shown.
    """
    if typed.said is None and typed.asked is None:
        return None
    now = number.now()
    asked = typed.asked
    if asked is not None and not state.query.text:
        asked = asked.replace(text="")  # the words nobody knows are left out of the answer too
    try:
        found = answer(actor.scope, asked, state.view) if asked is not None else None
    except Forbidden as error:
        return {"parts": [], "refused": str(error), "alternatives": [], "answer": None, "ignored": ""}
    parts = sentence(asked or state.query, typed.said, typed.q, now) if typed.said else []
    instead = alternatives(asked or state.query, now) if typed.said else []
    ignored = typed.ignored(state)
    return {
        "parts": parts,
        "refused": "",
        "answer": found,
        "bars": [(bar, state.link(bar.query) if bar.query else "") for bar in found.bars] if found else [],
        "alternatives": [(one.text, state.link(one.query)) for one in instead],
        "ignored": ignored,
        "text_url": state.link(q=f'"{ignored}"') if ignored else "",
    }
