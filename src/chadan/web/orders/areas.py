"""The three places order pages stand: /orders for buyers, /m/orders for merchants, /ops/orders for the platform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chadan.accounts.actors import Actor, Permission
from chadan.orders import number
from chadan.platform.errors import NotFound

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Area:
    """One of the places: whose capacity it takes, and where its pages are."""

    kind: str
    path: str
    views: tuple[tuple[str, Promise], ...] = ()

    def list_url(self, **params: str) -> str:
        """The list's address."""
        return f"{self.path}?{urlencode(params)}" if params else self.path

    def order_url(self, order_no: int) -> str:
        """An order's address."""
        return f"{self.path}/{number.text(order_no)}"


BUYER = Area("buyer", "/orders")
MERCHANT = Area(
    "merchant",
    "/m/orders",
    (
        ("sales", gettext_lazy("Sales orders")),
        ("agent", gettext_lazy("Agent orders")),
        ("purchases", gettext_lazy("Purchases")),
    ),
)
OPERATOR = Area("operator", "/ops/orders")
TITLES = {"buyer": gettext_lazy("My orders"), "operator": gettext_lazy("All orders")}
AREAS = {area.kind: area for area in (BUYER, MERCHANT, OPERATOR)}


def area_of(actor: Actor) -> Area:
    """Where a capacity's order pages are."""
    return AREAS[actor.kind]


def actor_in(request: HttpRequest, area: Area) -> Actor:
    """The capacity the signed-in person acts in here: the chosen one if it fits, else the first held that does.

    Raises NotFound for somebody who holds none: that this area exists for others is not their business.
    """
    chosen: Actor | None = request.actor  # type: ignore[attr-defined]  # accounts.middleware
    held: list[Actor] = request.capacities  # type: ignore[attr-defined]
    if chosen and chosen.kind == area.kind:
        return chosen
    found = next((actor for actor in held if actor.kind == area.kind), None)
    if found is None:
        raise NotFound(_("There is no such page or order."))
    return found


def in_area(
    view: Callable[Concatenate[HttpRequest, Area, Actor, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Gives the view its area and the acting capacity; sends strangers to the login page.

    Pages about orders are never kept by caches: they hold what only this person may see.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, area: Area, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        actor = actor_in(request, area)
        request.actor = actor  # type: ignore[attr-defined]  # the layout shows who acts on this page
        response = view(request, area, actor, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return wrapper


def acting_in(
    area: Area, permission: Permission | None = None
) -> Callable[[Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Gives a view the capacity the person acts in within `area`, with `permission` if one is named.

    Who is not signed in goes to the login page, who holds no such capacity finds no page, and who lacks the permission is
    told so. Nothing such a view answers is kept by caches.
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            actor = actor_in(request, area)
            request.actor = actor  # type: ignore[attr-defined]  # the layout shows who acts on this page
            if permission is not None:
                actor.require(permission)
            response = view(request, actor, *args, **kwargs)
            response["Cache-Control"] = "private, no-store"
            return response

        return wrapper

    return decorate
