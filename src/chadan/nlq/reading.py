"""From one utterance to one order query: the recognisers in the order of the specification (§2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from chadan.nlq import ids, injection, intent, money, negation, people, residue, status, things, time_ranges
from chadan.nlq.assemble import assemble
from chadan.nlq.calendar import Calendar
from chadan.nlq.english import to_chinese
from chadan.nlq.lexicon import Lexicon
from chadan.nlq.normalise import normalise
from chadan.nlq.repair import repair

if TYPE_CHECKING:
    from chadan.search.order_query import OrderQuery


class Span(NamedTuple):
    """A piece of the raw text, `[start, end)`, and the slot it became; `negated` when it is excluded."""

    start: int
    end: int
    slot: str
    value: Any
    negated: bool = False


@dataclass(frozen=True)
class Reading:
    """What was understood: the query as the schema's JSON object, and why."""

    got: dict[str, Any]
    spans: list[Span] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    source: str = "rules"
    """`model` when a language model explained words that the rules did not know (nlq_model)."""


def read(q: str, *, now: datetime, lexicon: Lexicon | None = None, calendar: Calendar | None = None) -> Reading:
    """The reading of `q`, spoken at `now` (local time of Asia/Shanghai; an aware time is converted).

    Pure: the same arguments give the same reading. Never raises for any text: what is not understood is in `text`.
    """
    lexicon = lexicon or Lexicon.seed()
    calendar = calendar or shipped_calendar()
    sheet = normalise(storable(q))
    to_chinese(sheet)
    injection.cut_injection(sheet)
    people.read_quoted(sheet)
    residue.read_remark(sheet)
    things.keep_whole(sheet, lexicon)
    repair(sheet, lexicon)
    ids.read_ids(sheet)
    time_ranges.read_times(sheet, local(now), calendar)
    people.read_tags(sheet)
    status.read_status(sheet)
    people.read_roles(sheet)
    people.read_people(sheet, lexicon)
    things.read_things(sheet, lexicon)
    negation.read_negation(sheet)
    money.read_quantity(sheet)
    money.read_money(sheet, lexicon)
    asked = intent.read_intent(sheet)
    text, unknown = residue.read_residue(sheet)
    got = assemble(sheet, asked, text, lexicon)
    spans = [
        Span(sheet.where[piece.start], sheet.where[piece.end], piece.slot, _shown(piece.value), piece.negated)
        for piece in sorted(sheet.pieces, key=lambda piece: piece.start)
        if piece.value not in (None, [], "")
    ]
    return Reading(got, spans, unknown, sheet.notes)


def storable(text: str) -> str:
    """The text with a space for each character no database can hold (NUL and lone surrogates); its length stays."""
    if "\0" in text or not text.isascii():
        return "".join(" " if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def local(now: datetime) -> datetime:
    """`now` as a naive local time."""
    if now.tzinfo is None:
        return now
    from chadan.orders.number import SHANGHAI

    return now.astimezone(SHANGHAI).replace(tzinfo=None)


@cache
def shipped_calendar() -> Calendar:
    """The calendar that comes with the program, built once."""
    return Calendar.shipped()


def _shown(value: Any) -> Any:
    if isinstance(value, time_ranges.Interval):
        return {
            "field": value.field,
            **({"from": value.start.isoformat()} if value.start else {}),
            **({"to": value.end.isoformat()} if value.end else {}),
        }
    return value


def query_of(got: dict[str, Any]) -> OrderQuery:
    """The order query of a reading's `got`, its times aware in Asia/Shanghai. Raises InvalidQuery as `from_dict` does."""
    from chadan.search.order_query import OrderQuery

    return OrderQuery.from_dict(got)
