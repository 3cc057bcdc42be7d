"""Who may open an order from the shop's pages: the browser that placed it or gave its code, and the buyer it belongs to."""

from __future__ import annotations

from ipaddress import ip_network

from django.http import HttpRequest

from chadan.accounts.actors import Actor, actors_of
from chadan.accounts.client_ip import client_ip
from chadan.accounts.models import Buyer, User
from chadan.orders import number
from chadan.orders.guest import Checkout, checkout_of, guest_actor

KEY = "orders"
"""In the session: the numbers (as text) this browser placed or looked up, oldest first."""
MOST = 50


def buyer_of(request: HttpRequest) -> Buyer | None:
    """The signed-in visitor's buyer record; None for guests, and for people who only work here."""
    if not isinstance(request.user, User):
        return None
    return Buyer.objects.filter(user=request.user).first()


def address_of(request: HttpRequest) -> str:
    """The visitor's address."""
    return str(client_ip(request.META) or "unknown")


def counted_as(address: str) -> str:
    """What tries are counted by: the address, or its /64 network, which one IPv6 visitor has to itself."""
    return str(ip_network((address, 64), strict=False)) if ":" in address else address


def remember(request: HttpRequest, order_no: int) -> None:
    """Lets this browser open the order from now on."""
    kept = [each for each in request.session.get(KEY, []) if each != number.text(order_no)]
    request.session[KEY] = [*kept, number.text(order_no)][-MOST:]


def remembered(request: HttpRequest) -> list[int]:
    """The orders this browser may open, newest first."""
    return [int(each) for each in reversed(request.session.get(KEY, []))]


def opened(request: HttpRequest, order_no: int) -> tuple[Checkout, Actor] | None:
    """The order and who looks at it; None alike for another's order and for one that does not exist."""
    if not number.is_valid(order_no):
        return None
    checkout = checkout_of(order_no)
    if checkout is None:
        return None
    if isinstance(request.user, User):
        for actor in actors_of(request.user):
            if actor.scope.buyer == checkout.buyer_id:
                return checkout, actor
    if number.text(order_no) in request.session.get(KEY, []):
        return checkout, guest_actor(checkout.buyer_id)
    return None
