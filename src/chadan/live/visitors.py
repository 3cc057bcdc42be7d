"""Who asks: a page's session, in the capacity the page was made for, and what may be told to it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from chadan.accounts.actors import actors_of
from chadan.accounts.models import User
from chadan.live.topics import Topic, Visitor
from chadan.platform.scope import OPERATOR, Scope

GUEST = "guest"
"""The capacity of a page that was opened by the proof the session keeps, whoever is signed in beside it."""
GUEST_ORDERS = "orders"
"""Where a session keeps the numbers of orders a guest placed or looked up."""
_MOST_GUEST_ORDERS = 100


def visitor_of_key(session_key: str, capacity: str) -> Visitor | None:
    """The visitor a session cookie stands for; None for a session that is gone, expired or holds nothing."""
    store = SessionStore(session_key)
    user = get_user(cast("HttpRequest", SimpleNamespace(session=store)))  # checks the password has not changed since
    return visitor(store, user, capacity)


def visitor(session: Mapping[str, Any] | SessionStore, user: Any, capacity: str) -> Visitor | None:
    """The visitor `user` is in the capacity named `capacity`, or the guest the session remembers orders of."""
    key = str(getattr(session, "session_key", "") or "")
    if isinstance(user, User) and capacity != GUEST:
        actor = next((held for held in actors_of(user) if held.key == capacity), None)
        return None if actor is None else Visitor(key, frozenset(_topics(actor.scope)), actor.scope)
    numbers = [str(value) for value in session.get(GUEST_ORDERS, [])[-_MOST_GUEST_ORDERS:]]
    orders = frozenset(Topic("order", int(value)) for value in numbers if value.isdecimal())
    return Visitor(key, orders, OPERATOR) if orders else None


def _topics(scope: Scope) -> list[Topic]:
    if scope.operator:
        return [Topic("operator")]
    if scope.buyer is not None:
        return [Topic("buyer", scope.buyer)]
    return [Topic("merchant", merchant) for merchant in scope.merchants]
