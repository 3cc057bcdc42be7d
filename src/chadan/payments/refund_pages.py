"""Refunds: asking for one, and the queue with what did not go by itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chadan.accounts.actors import Actor, Permission
from chadan.orders import number
from chadan.orders.events import actor_json
from chadan.orders.transitions import lock
from chadan.payments import refunds
from chadan.payments.staff_pages import parse
from chadan.platform.errors import ChadanError, NotFound
from chadan.platform.scope import scoped
from chadan.platform.wording import said
from chadan.search.written import typed_fen
from chadan.web import forms
from chadan.web.orders.areas import MERCHANT, Area, acting_in, in_area


@require_safe
@acting_in(MERCHANT, Permission.REFUND)
def queue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Refunds that are not done first, with why."""
    rows = [(one, said(one.refund.reason), said(one.refund.error)) for one in refunds.queue_of(actor)]
    return render(request, "payments/refunds.html", {"title": _("Refunds"), "rows": rows})


@require_POST
@acting_in(MERCHANT, Permission.REFUND)
def retry(request: HttpRequest, actor: Actor, order_no: str, seq: int) -> HttpResponse:
    """Sends a failed refund again."""

    def act() -> str:
        refunds.retry(actor, parse(order_no), seq)
        return _("The refund is queued again.")

    return forms.done(request, act, "payments:refunds")


@require_POST
@acting_in(MERCHANT, Permission.REFUND)
def done(request: HttpRequest, actor: Actor, order_no: str, seq: int) -> HttpResponse:
    """Says a failed refund was paid back outside."""

    def act() -> str:
        refunds.done_by_hand(actor, parse(order_no), seq)
        return _("The refund is on record as paid back by hand.")

    return forms.done(request, act, "payments:refunds")


@require_http_methods(["GET", "HEAD", "POST"])
@in_area
def refund(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """A page that states what can go back, and sent, the request."""
    actor.require(Permission.REFUND)
    wanted, error = parse(order_no), None
    with scoped(actor.scope) as session:
        order = lock(session, wanted)
        if actor.merchant_id is not None and order.merchant_id != actor.merchant_id:
            raise NotFound(_("There is no such order."))
        most, earlier = refunds.refundable(session, order), refunds.refunds_of(session, wanted)
    if request.method == "POST":
        try:
            with scoped(actor.scope) as session:
                amount, reason = typed_fen(request.POST.get("amount", ""), "amount"), request.POST.get("reason", "")
                refunds.request(session, wanted, amount, reason, actor_json(actor))
        except ChadanError as refused:
            error = refused
        else:
            messages.success(request, _("The refund is queued."))
            return HttpResponseRedirect(area.order_url(wanted))
    context = {
        "title": _("Refund the order"),
        "order_no": wanted,
        "text": number.text(wanted),
        "order": order,
        "most": most,
        "earlier": earlier,
        "amount": request.POST.get("amount", f"{most // 100}.{most % 100:02d}"),
        "reason": request.POST.get("reason", ""),
        "area": area,
        "back": area.order_url(wanted),
        "error": error,
    }
    return render(request, "payments/refund.html", context, status=error.status if error else 200)
