"""What a list's batch bar sends: which action, which orders, and the texts the action asks for."""

from __future__ import annotations

from django.http import HttpRequest, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor
from chadan.batches.services import Wanted
from chadan.orders import number
from chadan.platform.errors import InvalidInput, InvalidQuery
from chadan.search import readings
from chadan.web.orders.areas import MERCHANT
from chadan.web.orders.state import ListState

TEXTS = ("tag", "note", "visible", "reason")


def wanted(parameters: QueryDict, actor: Actor) -> Wanted:
    """The ticked orders, or all of the list the form stands on.

    Raises InvalidInput when nothing is ticked or something else was sent, InvalidQuery for a list that was not understood.
    """
    if parameters.get("everything"):
        return _everything(parameters, actor)
    values = parameters.getlist("selected")
    if not values:
        raise InvalidInput(_("Tick the orders first."), field="selected")
    numbers = tuple(one for value in values if (one := number.parse(value)) is not None)
    if len(numbers) != len(values):
        raise InvalidInput(_("That is not an order number."), field="selected")
    return Wanted(numbers=numbers)


def _everything(parameters: QueryDict, actor: Actor) -> Wanted:
    state = ListState.read(QueryDict(parameters.get("within", "")), MERCHANT, actor)
    query, page = readings.find(actor.scope, [state.query, *state.others], view=state.view, limit=1)
    if complaint := state.complaint(found=bool(page.rows)):
        raise InvalidQuery(complaint, field="q")
    return Wanted(query, state.view or "")


def texts(parameters: QueryDict) -> dict[str, str]:
    """The texts an action may ask for."""
    return {name: parameters.get(name, "") for name in TEXTS}


def kept(parameters: QueryDict) -> list[tuple[str, str]]:
    """What the page that asks for the texts carries along: the orders, the action, the way back."""
    fields = [
        (key, parameters.get(key, "")) for key in ("action", "within", "next", "everything") if parameters.get(key)
    ]
    if not parameters.get("everything"):
        fields += [("selected", str(value)) for value in parameters.getlist("selected")]
    return fields


def back(request: HttpRequest) -> str:
    """The list the form stands on."""
    where = request.POST.get("next", "")
    return where if url_has_allowed_host_and_scheme(where, {request.get_host()}) else MERCHANT.path
