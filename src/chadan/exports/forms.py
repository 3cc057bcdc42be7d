"""What the export form is asked with, and what it sends back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor
from chadan.batches import services as batches
from chadan.batches.models import Batch
from chadan.orders import number
from chadan.platform.errors import InvalidInput, InvalidQuery, NotFound
from chadan.search import readings, service
from chadan.search.chips import Chip, chips
from chadan.search.order_query import OrderQuery
from chadan.web.orders.areas import AREAS, Area
from chadan.web.orders.state import ListState

_OWN = frozenset({"area", "within", "everything", "selected", "name", "csrfmiddlewaretoken"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders a page asks for: a query in a view, or the ticked ones of it."""

    query: OrderQuery
    view: str = ""
    selection: tuple[int, ...] | None = None
    back: str = ""
    batch: Batch | None = None
    """A prepared export batch: exactly its orders."""

    def chips(self) -> list[Chip]:
        """The filter in words."""
        return chips(self.query, now=number.now())

    def count(self, actor: Actor) -> service.Count:
        """How many orders that is, an estimate past 1,000."""
        if self.batch is not None:
            return service.Count(self.batch.able, exact=True)
        if self.selection is not None:
            return service.Count(len(self.selection), exact=True)
        return service.count_orders(actor.scope, self.query, self.view or None).at_most(self.query.limit)


def area_named(parameters: QueryDict) -> Area | None:
    """The list the visitor comes from; None when the address does not say."""
    return AREAS.get(parameters.get("area", ""))


def from_list(parameters: QueryDict, actor: Actor) -> Wanted:
    """What a list's export button or batch bar asks for: the list's own parameters, and perhaps ticked orders.

    An address without any filter means all orders: only the list itself adds a window. Raises InvalidQuery, also for a
    search that the list understood in part: a file of other orders than were meant is worse than none.
    """
    within = parameters.get("within")
    said = QueryDict(within) if within is not None else parameters.copy()
    if within is None:
        for key in _OWN.intersection(said):
            del said[key]
    if (batch := _batch(parameters, actor)) is not None:
        return Wanted(OrderQuery(), batch=batch, back=reverse("batches:batch", args=[batch.pk]))
    area = AREAS[actor.kind]
    state = ListState.read(said, area, actor)
    query = state.query.replace(time=None) if state.bare else state.query
    selection = _selected(parameters)
    found = True
    if selection is None and (state.others or state.problems):
        query, page = readings.find(actor.scope, [query, *state.others], view=state.view, limit=1)
        found = bool(page.rows)
    if selection is None and (complaint := state.complaint(found=found)):
        raise InvalidQuery(complaint, hint=_("Correct the search in the list, then export."), field="q")
    back = f"{area.path}?{said.urlencode()}" if said else area.path
    return Wanted(query, state.view or "", selection, back)


def from_form(parameters: QueryDict, actor: Actor) -> Wanted:
    """What the form's hidden fields hold. Raises InvalidQuery, InvalidInput, and for a batch as `services.to_export`."""
    if (batch := _batch(parameters, actor)) is not None:
        return Wanted(OrderQuery(), batch=batch, back=reverse("batches:batch", args=[batch.pk]))
    query = OrderQuery.from_json(parameters.get("query", "{}"))
    return Wanted(query, parameters.get("view", ""), _selected(parameters))


def _batch(parameters: QueryDict, actor: Actor) -> Batch | None:
    named = parameters.get("batch", "")
    if not named:
        return None
    try:
        return batches.to_export(actor, UUID(named))
    except ValueError as error:
        raise NotFound(_("There is no such batch.")) from error


def _selected(parameters: QueryDict) -> tuple[int, ...] | None:
    values = parameters.getlist("selected")
    if not values or parameters.get("everything"):
        return None
    numbers = tuple(one for value in values if (one := number.parse(value)) is not None)
    if len(numbers) != len(values):
        raise InvalidInput(_("That is not an order number."), field="selection")
    return numbers
