"""The made lookup code, as the browser that placed the order is shown it: at once, before paying, and again for a day.

The session keeps the checkout's token, from which the code follows (codes.made_code); the database has the code's hash alone. A code
the guest chose is kept nowhere.
"""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest

from chadan.orders import number
from chadan.storefront import codes

KEY = "fresh_codes"
"""In the session: tokens of guests' orders with a made code, by order number, oldest first."""
MOST = 50
SHOWN_FOR = timedelta(days=1)


def keep(request: HttpRequest, order_no: int, token: str) -> None:
    """Lets this browser see the code made for `token`."""
    kept = {**request.session.get(KEY, {}), number.text(order_no): token}
    request.session[KEY] = dict(list(kept.items())[-MOST:])


def code_of(request: HttpRequest, order_no: int) -> str:
    """The order's made code; "" when the guest chose one, another browser placed it, or the day is over."""
    token = request.session.get(KEY, {}).get(number.text(order_no), "")
    if not token or number.now() - number.placed_at(order_no) > SHOWN_FOR:
        return ""
    return codes.made_code(token)
