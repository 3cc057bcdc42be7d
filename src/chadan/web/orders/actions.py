"""What people do to an order's state on its page: confirm receipt, cancel, open and close an after-sales case."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_  # noqa: N812 - the name gettext tools look for
from django.views.decorators.http import require_POST

from chadan.accounts.actors import Actor
from chadan.orders import lifecycle, rights
from chadan.orders.detail import OrderDetail, get_detail
from chadan.orders.events import actor_json
from chadan.orders.rights import Step
from chadan.orders.states import OrderStatus
from chadan.platform.errors import ChadanError, Forbidden, NotFound
from chadan.search.written import typed_fen
from chadan.web.orders import detail_page
from chadan.web.orders.areas import Area, in_area


@require_POST
@in_area
def complete(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """The goods are there: the money held goes to the shop."""

    def step(order: OrderDetail) -> str:
        lifecycle.complete(actor.scope, order.order_no, actor_json(actor), N_("receipt confirmed"))
        return _("Receipt confirmed. The order is completed.")

    return _take(request, area, actor, order_no, Step.COMPLETE, step)


@require_POST
@in_area
def cancel(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """Withdraws an unpaid order."""

    def step(order: OrderDetail) -> str:
        lifecycle.cancel(actor.scope, order.order_no, actor_json(actor), N_("withdrawn"))
        return _("The order is cancelled.")

    return _take(request, area, actor, order_no, Step.CANCEL, step)


@require_POST
@in_area
def open_case(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """Opens an after-sales case for `reason`."""

    def step(order: OrderDetail) -> str:
        lifecycle.open_after_sale(actor.scope, order.order_no, actor_json(actor), request.POST.get("reason", ""))
        return _("The after-sales case is open. The money stays held until it is closed.")

    return _take(request, area, actor, order_no, Step.OPEN_CASE, step)


@require_POST
@in_area
def close_case(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """Closes a case for `reason`; `refund` (yuan, may be empty) goes back to the buyer."""

    def step(order: OrderDetail) -> str:
        typed = request.POST.get("refund", "").strip()
        refund = typed_fen(typed, "refund") if typed else 0
        if refund and not rights.may_refund(actor, order.relation):
            raise Forbidden(_("Your role does not allow this."))
        reason = request.POST.get("reason", "")
        left = lifecycle.close_after_sale(actor.scope, order.order_no, actor_json(actor), reason, refund=refund)
        if left is OrderStatus.AFTER_SALE:
            return _("The refund is on its way; the case ends when the money is back.")
        return _("The after-sales case is closed.")

    return _take(request, area, actor, order_no, Step.CLOSE_CASE, step)


def _take(  # noqa: PLR0917 - a view, its step and what it does
    request: HttpRequest,
    area: Area,
    actor: Actor,
    order_no: str,
    step: Step,
    action: Callable[[OrderDetail], str],
) -> HttpResponse:
    """Takes a step if the actor may: says what happened, or on the page itself why it did not."""
    order = get_detail(actor, detail_page.parse(order_no))
    rights.require(actor, order.relation, step)
    try:
        said = action(order)
    except (NotFound, Forbidden):
        raise
    except ChadanError as error:
        return detail_page.again(request, area, actor, order_no, error)
    messages.success(request, said)
    return detail_page.back(request, area, order_no)
