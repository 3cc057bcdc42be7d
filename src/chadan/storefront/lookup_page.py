"""`/lookup`: finding an order again without an account."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chadan.orders import number
from chadan.orders.guest import checkouts_of
from chadan.platform.errors import ChadanError
from chadan.storefront import access
from chadan.storefront.lookup import look_up

SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
def lookup(request: HttpRequest) -> HttpResponse:
    """The form; a POST with `order` (number or contact) and `code` opens the order in this browser."""
    if request.method != "POST":
        return _page(request, request.GET.get("order", "")[:200])
    typed = request.POST.get("order", "")[:200]
    try:
        found = look_up(typed, request.POST.get("code", "")[:200], access.counted_as(access.address_of(request)))
    except ChadanError as error:
        return _page(request, typed, error)
    for order_no in reversed(found):
        access.remember(request, order_no)
    newest = checkouts_of(found[:1])[0]
    return HttpResponseRedirect(reverse("storefront:order", args=(newest.shop, number.text(newest.order_no))))


def _page(request: HttpRequest, typed: str, error: ChadanError | None = None) -> HttpResponse:
    context = {
        "title": _("Look up an order"),
        "typed": typed,
        "error": error,
        "known": checkouts_of(access.remembered(request)[:SHOWN]),
    }
    response = render(request, "shop/lookup.html", context, status=error.status if error else 200)
    response["Cache-Control"] = "no-store"
    return response
