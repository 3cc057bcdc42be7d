"""What an order list's address says, and the addresses that lead from it. Everything about a list is in its URL."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import filterfalse
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor
from chadan.asking.answering import asks_for_number, listed
from chadan.asking.notes import is_remark
from chadan.asking.understanding import Understood, understand
from chadan.orders import number
from chadan.search import readings, url
from chadan.search.order_query import OrderQuery
from chadan.search.permitted import without_hidden
from chadan.search.problems import Problem, doubts, standing
from chadan.search.written import preset_range
from chadan.web.orders.areas import Area

DEFAULT_DATE = "30d"
SIZES = (20, 50, 100)
FOREIGN = ("view", "column", "size", "in", "cursor", "selected", "saved")


@dataclass(frozen=True, slots=True)
class ListState:
    """One order list: whose, which view of it, filtered how."""

    area: Area
    view: str | None
    query: OrderQuery
    filters: OrderQuery
    """What the address says besides the typed text, a question for a number included."""
    q: str = ""
    date: str = ""
    size: int = 50
    jump: int | None = None
    others: tuple[OrderQuery, ...] = ()
    """Other readings of what was typed, to try when `query` finds nothing."""
    problems: tuple[Problem, ...] = ()
    bare: bool = False
    extra: tuple[tuple[str, str], ...] = field(default=())
    """Parameters every link keeps: view, columns, page size, the saved view it was opened with."""
    meant: Understood | None = None
    """What the typed text means."""
    asked: OrderQuery | None = None
    """The question, when it is for a number; `query` has the orders behind it."""
    opens: str = ""
    """The window a list without filters has to name, where a bare visit would open a saved view."""

    @classmethod
    def read(cls, parameters: QueryDict, area: Area, actor: Actor) -> ListState:
        """The state an address names. A bare visit gets the last 30 days as a visible filter (DESIGN §2).

        Raises InvalidQuery for a parameter that cannot be understood.
        """
        pairs = [(key, value) for key, values in parameters.lists() for value in values]
        now = number.now()
        said = url.from_pairs(pairs, now=now, ignore=FOREIGN)
        meant = understand(said.q, now, actor.scope) if said.q.strip() else None
        typed = meant.parsed if meant else None
        bare = not said.q.strip() and not said.date and said.query.is_bare() and not parameters.get("cursor")
        filters, date = said.query, said.date
        if bare:
            date = DEFAULT_DATE
            filters = filters.replace(time=preset_range(DEFAULT_DATE, now, "placed"))
        view = list_view(parameters.get("view", ""), area, actor)
        size = parameters.get("size", "")
        filters, refused, unheard = _heard(filters, view, actor)
        first, *others = (_heard(one, view, actor) for one in readings.candidates(filters, typed))
        query, refused_typed, unheard_typed = first
        asked = query if asks_for_number(query) and not (refused or refused_typed) else None
        problems = [*doubts(filters), *(typed.problems if typed else ()), *unheard, *unheard_typed]
        return cls(
            area=area,
            view=view,
            query=listed(query),
            others=tuple(listed(other) for other, _refused, _unheard in others),
            filters=filters,
            q=said.q,
            date=date,
            size=int(size) if size in map(str, SIZES) else 50,
            jump=typed.jump if typed else None,
            problems=tuple(dict.fromkeys(problems)),
            bare=bare,
            meant=meant,
            asked=asked,
            extra=_extra(parameters, view),
        )

    @property
    def columns(self) -> list[str]:
        """The columns the address names; none, unless it does."""
        return [value for key, value in self.extra if key == "column"]

    def complaint(self, *, found: bool) -> str:
        """What was not understood, in sentences; empty when nothing is in the way of `found` orders."""
        left = filterfalse(is_remark, standing(self.problems, found=found))
        return " ".join(problem.sentence for problem in left)

    @property
    def question(self) -> OrderQuery:
        """What is asked: the question for a number where it is one, else the query."""
        return self.asked or self.query

    def reading(self, query: OrderQuery) -> ListState:
        """The same list with `query` as what the typed text turned out to mean."""
        if query is self.query:
            return self
        asked = self.asked
        if asked is not None:  # the same question about the orders that were found
            same = {name: getattr(asked, name) for name in ("intent", "metric", "group_by", "sort", "limit")}
            asked = query.replace(**same)
        return replace(self, query=query, asked=asked)

    def pairs(self) -> list[tuple[str, str]]:
        """This list's parameters: what was typed stays typed, everything else by name."""
        pairs = [*self.extra, *url.to_pairs(self.filters, q=self.q, date=self.date)]
        return [*pairs, ("date", "all")] if self.date == "all" else pairs

    def text(self) -> str:
        """This list's query string."""
        return _encode(self.pairs())

    def link(self, query: OrderQuery | None = None, *, date: str | None = None, **changes: str) -> str:
        """The address of a list like this one.

        With `query`, what was typed is written out as filters. A change to "" takes a parameter away. The cursor never
        stays: another filter has other pages.
        """
        if query is None:
            pairs = self.pairs()
        else:
            preset = self.date if date is None else date
            # A preset names its window only while the window is the preset's.
            if date is None and query.time != self.filters.time:
                preset = ""
            pairs = [*self.extra, *url.to_pairs(query, date=preset)]
            if query.time is None:
                pairs.append(("date", "all"))
        pairs = [pair for pair in pairs if pair[0] not in changes]
        pairs.extend((key, value) for key, value in changes.items() if value)
        return f"{self.area.path}?{_encode(pairs)}" if pairs else self.area.path

    def window(self, preset: str) -> str:
        """The same list in another window (`all` for every time); what was typed stays unless it names a time itself."""
        named = self.filters.time or self.query.time
        time = preset_range(preset, number.now(), named.field if named else "placed")
        if self.query.time != self.filters.time:
            return self.link(self.question.replace(time=time), date=preset)
        pairs = [*self.extra, *url.to_pairs(self.filters.replace(time=time), q=self.q, date=preset)]
        pairs += [("date", "all")] if time is None else []
        return f"{self.area.path}?{_encode(pairs)}"

    @property
    def written(self) -> ListState:
        """This list with what was understood of a sentence written out as filters: what forms beside it start from."""
        if self.meant is None or self.meant.said is None:
            return self
        date = self.date if self.question.time == self.filters.time else ""
        return replace(self, filters=self.question, q="", date=date, meant=None)

    def clear(self) -> str:
        """The list with no filter but its default window."""
        pairs = [pair for pair in self.extra if pair[0] != "saved"]
        pairs += [("date", self.opens)] if self.opens else []
        return f"{self.area.path}?{_encode(pairs)}" if pairs else self.area.path

    def order_link(self, order_no: int) -> str:
        """An order's page, which then knows its neighbours in this list."""
        within = self.text() or "date=" + DEFAULT_DATE
        return f"{self.area.order_url(order_no)}?{urlencode({'in': within})}"

    def search_hidden(self) -> list[tuple[str, str]]:
        """What the search box carries along: the filters, but neither a question for a number, which the new text replaces,
        nor the window a bare visit brought with it.
        """
        pairs = self.hidden("q", "intent", "metric", "group_by")
        return [pair for pair in pairs if pair[0] != "date"] if self.bare else pairs

    def hidden(self, *without: str) -> list[tuple[str, str]]:
        """The parameters a form beside this list carries along, without those it sets itself."""
        dropped = set(without)
        return [(key, value) for key, value in self.pairs() if key not in dropped]


def _heard(query: OrderQuery, view: str | None, actor: Actor) -> tuple[OrderQuery, bool, list[Problem]]:
    """The part of a query that may be asked here, whether a question for a number lost its point, and what is to be said."""
    rest, sentences = without_hidden(actor.scope, query, view)
    refused = (rest.metric, rest.group_by) != (query.metric, query.group_by)
    if refused:
        rest = listed(rest)
    problems = [Problem("hidden", sentence) for sentence in sentences]
    if rest.metric != "amount" and not asks_for_number(rest):
        problems.append(Problem("not_listed", _("metric: changes nothing without a question, such as show:sum.")))
    return rest, refused, problems


def list_view(wanted: str, area: Area, actor: Actor) -> str | None:
    """The side of a merchant's list that an address names, its direct sales unless it says otherwise; None elsewhere."""
    if area.kind != "merchant":
        return None
    allowed = {"sales", "agent"} | ({"purchases"} if actor.is_agent else set())
    return wanted if wanted in allowed else "sales"


def _extra(parameters: QueryDict, view: str | None) -> tuple[tuple[str, str], ...]:
    kept: list[tuple[str, str]] = [("view", view)] if view else []
    kept += [("column", str(key)) for key in parameters.getlist("column")[:40]]
    size = str(parameters.get("size", ""))
    kept += [("size", size)] if size in map(str, SIZES) else []
    saved = str(parameters.get("saved", ""))
    kept += [("saved", saved)] if saved.isascii() and saved.isdecimal() and len(saved) < 19 else []
    return tuple(kept)


def _encode(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, safe=",:")
