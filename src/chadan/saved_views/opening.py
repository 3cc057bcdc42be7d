"""A saved view as whoever opens it may see it: its filter without what that role may not ask about, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chadan.accounts.actors import Actor
from chadan.asking.understanding import understand
from chadan.orders import number
from chadan.platform.errors import InvalidQuery
from chadan.platform.scope import Scope
from chadan.saved_views.models import SavedView
from chadan.search import readings, url
from chadan.search.chips import describe
from chadan.search.order_query import OrderQuery
from chadan.search.permitted import without_hidden
from chadan.search.written import preset_range

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a viewer gets: the filter and the typed text, both without what is hidden, and a sentence for each matter left out."""

    filters: OrderQuery
    typed: str
    date: str
    hidden: tuple[str, ...] = ()

    def query(self, now: datetime, scope: Scope) -> OrderQuery:
        """The whole question: the filter with the likeliest reading of the typed text."""
        parsed = understand(self.typed, now, scope).parsed if self.typed.strip() else None
        return readings.candidates(self.filters, parsed)[0]

    def pairs(self) -> Pairs:
        """The parameters of a list's address. A view without a time is over all time, not over a bare visit's window."""
        pairs = url.to_pairs(self.filters, q=self.typed, date=self.date)
        return pairs if self.filters.time is not None else [*pairs, ("date", "all")]


def open_view(actor: Actor, view: SavedView, now: datetime | None = None) -> Opened:
    """The view for this actor. Raises InvalidQuery when what is stored is no query any more."""
    now = now or number.now()
    filters = OrderQuery.from_dict(view.filters)
    if view.date:
        filters = filters.replace(time=preset_range(view.date, now, _field(filters)))
    typed, date, side = view.typed, view.date, view.side or None
    sentences: dict[str, None] = {}
    if typed.strip():
        parsed = understand(typed, now, actor.scope).parsed
        _rest, said = without_hidden(actor.scope, parsed.query, side)
        if said:  # the text itself would say it: what may be known of it becomes filters
            filters, typed = filters.merged(parsed.query), ""
            date = date if parsed.query.time is None else ""
    filters, said = without_hidden(actor.scope, filters, side)
    sentences.update(dict.fromkeys(said))
    return Opened(filters, typed, date, tuple(sentences))


def summary(actor: Actor, view: SavedView) -> str:
    """The view in one line, as far as the actor may know it."""
    now = number.now()
    try:
        return describe(open_view(actor, view, now).query(now, actor.scope), now=now)
    except InvalidQuery as error:
        return str(error)


def _field(filters: OrderQuery) -> str:
    return filters.time.field if filters.time is not None else "placed"


def is_bare(pairs: Sequence[tuple[str, str]], own: Sequence[str]) -> bool:
    """Whether an address says nothing of its own: no filter, no text, no window, no page further on."""
    return not any(value for key, value in pairs if key not in own)
