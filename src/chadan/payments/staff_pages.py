"""What the shop's payment pages share: who acts, and numbers in addresses."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.orders import number
from chadan.platform.errors import NotFound
from chadan.web.orders.areas import MERCHANT, actor_in

P = ParamSpec("P")


def for_staff(
    permission: Permission,
) -> Callable[[Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]], Callable[..., HttpResponse]]:
    """Gives a view the acting merchant's staff member; strangers find no page, staff without the right a sentence."""

    def decorate(view: Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            actor = actor_in(request, MERCHANT)
            actor.require(permission)
            request.actor = actor  # type: ignore[attr-defined]  # the layout shows who acts on this page
            response = view(request, actor, *args, **kwargs)
            response["Cache-Control"] = "no-store"
            return response

        return wrapper

    return decorate


def parse(order_no: str) -> int:
    """An order number in an address. Raises NotFound."""
    parsed = number.parse(order_no)
    if parsed is None:
        raise NotFound(_("There is no such order."))
    return parsed
