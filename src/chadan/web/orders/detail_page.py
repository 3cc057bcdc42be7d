"""One order's page, its receipt, and what may be done there: reveal, note, tag."""

from __future__ import annotations

from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chadan.accounts.actors import Actor, Permission
from chadan.orders import number, remarks, reveal, rights
from chadan.orders.detail import OrderDetail, get_detail
from chadan.platform.errors import ChadanError, NotFound
from chadan.search import service
from chadan.web.live import live_for
from chadan.web.orders.areas import TITLES, Area, in_area
from chadan.web.orders.onward import onward
from chadan.web.orders.state import ListState
from chadan.web.orders.timeline import told
from chadan.web.posting import form_of


def _order_url(area: Area, order_no: str, **_more: object) -> str:
    return f"{area.path}/{order_no}"


@require_safe
@in_area
def order(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """The order, whole."""
    return _page(request, area, actor, order_no)


@require_safe
@in_area
def receipt(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """The order as a page to print."""
    detail = get_detail(actor, parse(order_no))
    context = {"title": _("Receipt"), "order": detail, "area": area, "now": number.now()}
    return render(request, "orders/receipt.html", context)


@form_of(_order_url)
@in_area
def show_secret(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """Reveals the cards or the account on the page itself: a secret is never put into a URL or a session."""
    wanted = request.POST.get("what", "")
    number_ = parse(order_no)
    if wanted == "account":
        return _page(request, area, actor, order_no, account=reveal.reveal_account(actor, number_))
    return _page(request, area, actor, order_no, cards=reveal.reveal_cards(actor, number_))


@form_of(_order_url)
@in_area
def add_note(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """Adds a note and shows the order again."""
    try:
        internal = request.POST.get("visible") != "buyer"
        remarks.add_note(actor, parse(order_no), request.POST.get("body", ""), internal=internal)
    except NotFound:
        raise
    except ChadanError as error:
        return _page(request, area, actor, order_no, note_error=str(error), status=error.status)
    messages.success(request, _("Note added."))
    return back(request, area, order_no)


@form_of(_order_url)
@in_area
def add_tag(request: HttpRequest, area: Area, actor: Actor, order_no: str) -> HttpResponse:
    """Tags the order and shows it again."""
    try:
        remarks.add_tag(actor, [parse(order_no)], request.POST.get("name", ""))
    except NotFound:
        raise
    except ChadanError as error:
        return _page(request, area, actor, order_no, tag_error=str(error), status=error.status)
    return back(request, area, order_no)


@form_of(_order_url)
@in_area
def remove_tag(request: HttpRequest, area: Area, actor: Actor, order_no: str, tag_id: int) -> HttpResponse:
    """Takes a tag off the order and shows it again."""
    remarks.remove_tag(actor, parse(order_no), tag_id)
    return back(request, area, order_no)


def _page(
    request: HttpRequest,
    area: Area,
    actor: Actor,
    order_no: str,
    *,
    cards: list[str] | None = None,
    account: str | None = None,
    note_error: str = "",
    tag_error: str = "",
    step_error: str = "",
    status: int = 200,
) -> HttpResponse:
    live = live_for(request, actor)
    detail = get_detail(actor, parse(order_no))
    within = request.GET.get("in", "")
    before, after = _neighbours(area, actor, detail, within)
    context = {
        "title": _("Order %(number)s") % {"number": number.text(detail.order_no)},
        "order": detail,
        "live": live,
        "area": area,
        "within": within,
        "list_title": _list_title(area, within),
        "back_url": f"{area.path}?{within}" if within else area.path,
        "newer": before,
        "older": after,
        "cards": cards,
        "account": account,
        "note_error": note_error,
        "tag_error": tag_error,
        "steps": rights.steps(actor, detail.relation, detail.facts.status),
        "onward": onward(actor, detail),
        "may_refund": rights.may_refund(actor, detail.relation),
        "step_error": step_error,
        "moments": told(detail.timeline),
        "may_price": detail.relation == "seller" and actor.may(Permission.MANAGE),
        "known_tags": remarks.tags_of(actor) if detail.may_tag else [],
    }
    return render(request, "orders/detail.html", context, status=status)


def again(request: HttpRequest, area: Area, actor: Actor, order_no: str, error: ChadanError) -> HttpResponse:
    """The order's page, saying why a step was not taken."""
    return _page(request, area, actor, order_no, step_error=str(error), status=error.status)


def _list_title(area: Area, within: str) -> str:
    view = dict(parse_qsl(within)).get("view", "sales")
    views = dict(area.views)
    return str(views[view]) if view in views else str(TITLES.get(area.kind, _("Orders")))


def _neighbours(area: Area, actor: Actor, detail: OrderDetail, within: str) -> tuple[int | None, int | None]:
    """Previous and next order of the list this page was opened from; none when it was opened by itself."""
    if not within:
        return None, None
    parameters = QueryDict(mutable=True)
    for key, value in parse_qsl(within, keep_blank_values=True):
        parameters.appendlist(key, value)
    try:
        state = ListState.read(parameters, area, actor)
    except ChadanError:  # a hand-made address: the order itself still shows
        return None, None
    return service.neighbours(actor.scope, state.query, detail.order_no, view=state.view)


def parse(order_no: str) -> int:
    """The number in an address. Raises NotFound."""
    parsed = number.digits(order_no)
    if parsed is None:
        raise NotFound(_("There is no such order."))
    return parsed


def back(request: HttpRequest, area: Area, order_no: str) -> HttpResponse:
    """To the order's page, within the list it was opened from."""
    within = QueryDict(mutable=True)
    if request.GET.get("in"):
        within["in"] = request.GET["in"]
    suffix = f"?{within.urlencode()}" if within else ""
    return HttpResponseRedirect(area.order_url(parse(order_no)) + suffix)
