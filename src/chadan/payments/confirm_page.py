"""Confirming by hand that an order's money arrived: a small page that states the amount, then the step."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chadan.accounts.actors import Actor
from chadan.payments import confirming
from chadan.payments.facts import Verdict
from chadan.payments.staff_pages import parse
from chadan.platform.errors import ChadanError, Conflict, NotFound
from chadan.web.orders.areas import Area, in_area


@require_http_methods(["GET", "HEAD", "POST"])
@in_area
def confirm_payment(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """The page, and sent the confirmation."""
    wanted = confirming.confirmable(actor, parse(order_no))
    error: ChadanError | None = None
    if request.method == "POST":
        channel = request.POST.get("channel", "")
        try:
            chosen = int(channel) if channel.isdecimal() and len(channel) < 18 else 0
            verdict = confirming.confirm(actor, wanted.order_no, chosen, request.POST.get("txn_no", ""))
        except NotFound:
            raise
        except ChadanError as refused:
            error = refused
        else:
            if verdict in (Verdict.PAID, Verdict.PAID_LATE):
                messages.success(request, _("The payment is confirmed."))
                return HttpResponseRedirect(area.order_url(wanted.order_no))
            error = Conflict(_("This transaction number already pays another order."), hint=_("Check the number."))
    context = {
        "title": _("Confirm the payment"),
        "wanted": wanted,
        "area": area,
        "back": area.order_url(wanted.order_no),
        "channel": request.POST.get("channel", "") or str(wanted.likely or ""),
        "txn_no": request.POST.get("txn_no", ""),
        "error": error,
    }
    return render(request, "payments/confirm.html", context, status=error.status if error else 200)
