"""An API request's parameters as an `OrderQuery`: the filter's own parameters, and `q` as the search box reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import filterfalse
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor
from chadan.asking.notes import is_note
from chadan.asking.understanding import Understood, understand
from chadan.nlq.reading import Reading
from chadan.orders import number
from chadan.platform.errors import Forbidden, InvalidQuery, NotFound
from chadan.platform.scope import NOBODY
from chadan.saved_views import services
from chadan.saved_views.opening import open_view
from chadan.search import checking, url
from chadan.search.order_query import OrderQuery
from chadan.search.problems import MISTYPED, Problem, doubts, standing

DEFAULT_LIMIT, MAX_LIMIT = 50, 100
MAX_PARAMETERS = 1000
OWN = ("limit", "cursor", "view", "saved")
"""Parameters of the API itself, and the view, which knows `purchases` besides the filter's own."""
_PAGE_ONLY = url.PAGE_KEYS - {"q", "cursor", "saved"}


class Mistyped(InvalidQuery):
    """An order number whose check digit is wrong."""

    code = "mistyped"


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks: the query, other readings to try when it finds nothing, the view, the page."""

    query: OrderQuery
    otherwise: tuple[OrderQuery, ...]
    view: str | None
    cursor: str | None
    limit: int
    doubt: Mistyped | None = None
    """Why an order number asked for cannot be one of ours. It may still be a payment's or another site's: to be raised
    when nothing is found."""
    meant: Understood | None = None

    @property
    def readings(self) -> list[OrderQuery]:
        """The query and the other readings, likeliest first."""
        return [self.query, *self.otherwise]

    @property
    def said(self) -> Reading | None:
        """How natural language in `q` was read."""
        return self.meant.said if self.meant else None

    def ignored(self, found: OrderQuery) -> str:
        """The words of `q` that were left out of the reading that was taken."""
        return self.meant.ignored(found) if self.meant else ""


def read(query_string: str, actor: Actor | None = None) -> Question:
    """The question in a URL's query string; with `saved`, a view of the actor's that the other parameters change.

    Raises InvalidQuery naming the parameter, NotFound for a view the actor does not see, Forbidden for one that asks about
    what the actor may not.
    """
    if len(query_string) > 4 * checking.MAX_BYTES:
        raise checking.too_large()
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, errors="replace", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise checking.too_large() from error
    for name, _value in pairs:
        if name in _PAGE_ONLY:
            raise InvalidQuery(_("Unknown parameter “%(name)s”.") % {"name": name}, field=name)
    own = {name: value for name, value in pairs if name in OWN and value}
    now = number.now()
    said = url.from_pairs(pairs, now=now, ignore=OWN)
    query, view = said.query, own.get("view")
    if "saved" in own:
        saved, side = _saved(own["saved"], actor, now)
        said = said._replace(query=saved.merged(said.query))
        query, view = said.query, view or side
    otherwise: tuple[OrderQuery, ...] = ()
    doubt = _doubt(doubts(query), "order_no")
    meant = understand(said.q, now, actor.scope if actor else NOBODY) if said.q.strip() else None
    if meant:
        parsed = meant.parsed
        for problem in filterfalse(is_note, standing(parsed.problems, found=True)):
            raise InvalidQuery(problem.message, hint=problem.hint, field="q")
        doubt = _doubt(parsed.problems, "q") or doubt
        query = said.query.merged(parsed.query)
        otherwise = tuple(said.query.merged(other) for other in parsed.otherwise)
    return Question(query, otherwise, _view(view), own.get("cursor"), _limit(own.get("limit")), doubt, meant)


def _saved(text: str, actor: Actor | None, now: datetime) -> tuple[OrderQuery, str | None]:
    """What a saved view asks, and of which side of the list."""
    if actor is None:
        raise NotFound(_("There is no such view."))
    view = services.view_of(actor, url.whole(text, "saved"))
    opened = open_view(actor, view, now)
    for sentence in opened.hidden:
        raise Forbidden(sentence, field="saved")
    return opened.query(now, actor.scope), view.side or None


def _doubt(problems: Sequence[Problem], field: str) -> Mistyped | None:
    for problem in problems:
        if problem.code == MISTYPED:
            return Mistyped(problem.message, hint=problem.hint, field=field)
    return None


def _view(view: str | None) -> str | None:
    return checking.check_choice(view, "view", ("consumer", "sales", "agent", "purchases")) if view else None


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    limit = url.whole(text, "limit")
    if not 1 <= limit <= MAX_LIMIT:
        raise checking.invalid("limit", "“{field}” must be from 1 to {max}.", max=MAX_LIMIT)
    return limit


def order_number(text: str) -> int:
    """The number in a URL. Raises Mistyped when its check digit is wrong or it has not 19 digits."""
    parsed = number.parse(text)
    if parsed is not None:
        return parsed
    raise Mistyped(
        _("This is not an order number: a digit is mistyped or missing."),
        hint=_("Compare it with the original."),
        field="order_no",
    )
