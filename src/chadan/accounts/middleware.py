"""Puts the acting capacity on the request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from chadan.accounts.actors import Actor, actors_of

SESSION_KEY = "capacity"


def actor(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Adds `request.capacities` (every capacity held) and `request.actor` (the chosen one, or None), both lazy."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.capacities = SimpleLazyObject(lambda: _capacities(request))  # type: ignore[attr-defined]
        request.actor = SimpleLazyObject(lambda: chosen(request))  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def _capacities(request: HttpRequest) -> list[Actor]:
    return actors_of(request.user) if request.user.is_authenticated else []


def chosen(request: HttpRequest) -> Actor | None:
    """The capacity the session chose, else the first one held."""
    held: list[Actor] = request.capacities  # type: ignore[attr-defined]
    key = request.session.get(SESSION_KEY, "") if held else ""
    return next((actor for actor in held if actor.key == key), held[0] if held else None)
