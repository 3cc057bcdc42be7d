"""A batch in words and figures: its preview, and what became of its orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override, pgettext_lazy

from chadan.accounts.actors import Actor
from chadan.batches import rows
from chadan.batches.actions import KINDS, Action
from chadan.batches.models import Batch, State
from chadan.batches.reasons import reason_text
from chadan.batches.rows import Group, Result, RowState
from chadan.exports.csv_file import BOM, EOL, code, quoted
from chadan.exports.kinds import local_text, yuan
from chadan.orders import number
from chadan.platform.scope import scoped
from chadan.search.chips import Chip, chips
from chadan.search.order_query import OrderQuery

PAGE = 50
CSV_ROWS = 2000
TONES = {
    State.PREPARING: "blue",
    State.READY: "amber",
    State.RUNNING: "blue",
    State.DONE: "green",
    State.FAILED: "red",
    State.CANCELLED: "grey",
    State.UNDOING: "blue",
    State.UNDONE: "grey",
}
ROW_WORDS: dict[RowState, tuple[str, Promise, str]] = {
    RowState.WAITING: ("waiting", pgettext_lazy("batch order", "Waiting"), "grey"),
    RowState.DONE: ("done", pgettext_lazy("batch order", "Done"), "green"),
    RowState.SKIPPED: ("skipped", pgettext_lazy("batch order", "Left as it was"), "amber"),
    RowState.FAILED: ("failed", pgettext_lazy("batch order", "Failed"), "red"),
    RowState.UNDONE: ("undone", pgettext_lazy("batch order", "Undone"), "grey"),
    RowState.KEPT: ("kept", pgettext_lazy("batch order", "Not undone"), "amber"),
}
WORD_STATES = {word: state for state, (word, _label, _tone) in ROW_WORDS.items()}
_SENTENCES: dict[State, Promise] = {
    State.PREPARING: gettext_lazy("The orders are being looked up; you may leave this page."),
    State.READY: gettext_lazy("Nothing has happened yet. Check what will happen, then confirm."),
    State.RUNNING: gettext_lazy("The orders are being worked off; you may leave this page."),
    State.DONE: gettext_lazy("Every order was come to."),
    State.CANCELLED: gettext_lazy("The batch was cancelled. What it had done stays done."),
    State.UNDOING: gettext_lazy("The orders are being put back; you may leave this page."),
    State.UNDONE: gettext_lazy("What could be put back was put back."),
}


def card(batch: Batch) -> dict[str, Any]:
    """A batch with its words, for the templates."""
    state = State(batch.state)
    kind = KINDS[Action(batch.action)]
    undo = batch.state in (State.UNDOING, State.UNDONE) or (batch.undoing and batch.state != State.DONE)
    return {
        "batch": batch,
        "kind": kind,
        "state": state.label,
        "tone": TONES[state],
        "sentence": batch.error if state is State.FAILED else str(_SENTENCES[state]),
        "about": batch.params.get("tag") or batch.params.get("note") or batch.params.get("reason") or "",
        "undo": undo,
        "worked": batch.undone + batch.kept if undo else batch.worked,
        "of": batch.undone + batch.kept + batch.done if undo else batch.able,
        "by": str(batch.user),
        "chips": query_chips(batch),
    }


def query_chips(batch: Batch) -> list[Chip] | None:
    """The filter in words; None where single orders were ticked."""
    return None if batch.query is None else chips(OrderQuery.from_dict(batch.query), now=number.now())


@dataclass(frozen=True, slots=True)
class Unable:
    """Orders a preview leaves out, and why. `amount` is fen."""

    code: str
    text: str
    count: int
    amount: int


def unable(actor: Actor, batch: Batch) -> list[Unable]:
    """The orders that can not, by reason, most first."""
    with scoped(actor.scope) as session:
        groups = rows.groups(session, batch.pk, [RowState.SKIPPED])
    return [Unable(one.reason, reason_text(one.reason), one.count, one.amount) for one in groups]


def left(actor: Actor, batch: Batch) -> list[Group]:
    """The orders that were left as they are or failed, by state and reason, most first."""
    with scoped(actor.scope) as session:
        return rows.groups(session, batch.pk, [RowState.SKIPPED, RowState.FAILED, RowState.KEPT])


def page_of(actor: Actor, batch: Batch, state: RowState | None, after: int, size: int) -> tuple[list[Result], bool]:
    """The next orders behind number `after`, and whether there are more."""
    with scoped(actor.scope) as session:
        found = rows.results(session, batch.pk, after, size + 1, state)
    return found[:size], len(found) > size


def preview(actor: Actor, batch: Batch) -> dict[str, Any]:
    """What the preview says besides the batch's own figures."""
    return {"unable": unable(actor, batch)}


def read(actor: Actor, batch: Batch, parameters: QueryDict) -> dict[str, Any]:
    """A page of the report: `state`, `reason` and `after` are read from the address."""
    wanted = WORD_STATES.get(parameters.get("state", ""))
    reason = parameters.get("reason") if wanted is not None and "reason" in parameters else None
    given = parameters.get("after", "")
    after = int(given) if given.isascii() and given.isdigit() and len(given) <= number.LENGTH else 0
    with scoped(actor.scope) as session:
        groups = rows.groups(session, batch.pk, rows.ALL)
        found = rows.results(session, batch.pk, after, PAGE + 1, wanted, reason)
    here = {"state": ROW_WORDS[wanted][0]} if wanted is not None else {}
    here |= {"reason": reason} if reason is not None else {}
    more = len(found) > PAGE
    return {
        "rows": [_shown(one) for one in found[:PAGE]],
        "tabs": _tabs(groups, wanted),
        "reasons": [_reason(one, reason) for one in groups if one.reason and wanted in (None, one.state)],
        "first_url": f"?{urlencode(here)}" if after else None,
        "next_url": f"?{urlencode({**here, 'after': number.text(found[PAGE - 1].order_no)})}" if more else None,
        "query": urlencode(here),
    }


def _tabs(groups: list[Group], wanted: RowState | None) -> list[dict[str, Any]]:
    counts = {state: sum(one.count for one in groups if one.state is state) for state in RowState}
    tabs = [{"text": _("All"), "url": "?", "active": wanted is None, "count": sum(counts.values())}]
    for state, (word, label, _tone) in ROW_WORDS.items():
        if counts[state] or state is wanted:
            tabs.append({"text": label, "url": f"?state={word}", "active": state is wanted, "count": counts[state]})
    return tabs


def _reason(one: Group, chosen: str | None) -> dict[str, Any]:
    link = urlencode({"state": ROW_WORDS[one.state][0], "reason": one.reason})
    return {"text": reason_text(one.reason), "url": f"?{link}", "active": one.reason == chosen, "count": one.count}


def _shown(one: Result) -> dict[str, Any]:
    _word, label, tone = ROW_WORDS[one.state]
    return {"row": one, "state": label, "tone": tone, "reason": reason_text(one.reason)}


def csv_lines(actor: Actor, batch: Batch) -> Iterator[bytes]:
    """The whole report as CSV, a piece at a time, in the batch's language."""
    with override(batch.language):
        heads = (_("Order number"), _("Result"), _("Reason"), _("Amount"), _("When"))
        yield BOM + (",".join(map(quoted, heads)) + EOL).encode()
        after = 0
        while True:
            with scoped(actor.scope) as session:
                found = rows.results(session, batch.pk, after, CSV_ROWS)
            if not found:
                return
            yield "".join(map(_line, found)).encode()
            after = found[-1].order_no


def _line(one: Result) -> str:
    when = local_text(one.at) if one.at else ""
    cells = (
        code(one.number),
        quoted(str(ROW_WORDS[one.state][1])),
        quoted(reason_text(one.reason)),
        yuan(one.amount),
        when,
    )
    return ",".join(cells) + EOL
