"""An order as a guest sees it: after placing it, after finding it again, and until it is delivered."""

from __future__ import annotations

from urllib.parse import urlencode

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from markupsafe import Markup

from chadan.accounts.actors import Actor
from chadan.accounts.models import Merchant
from chadan.catalog import fields as catalog_fields
from chadan.catalog.models import Product
from chadan.notify.channels import CHANNELS, Message
from chadan.orders import number, reveal
from chadan.orders.detail import get_detail
from chadan.orders.guest import Checkout
from chadan.orders.states import OrderStatus
from chadan.platform.errors import ChadanError, NotFound
from chadan.storefront import access, keeping, limits
from chadan.storefront.shop import merchant_of, pay_url
from chadan.web.format import money
from chadan.web.live import live_for
from chadan.web.orders.timeline import told

_MOVING = frozenset({OrderStatus.PENDING_PAYMENT, OrderStatus.PAID, OrderStatus.PROCESSING})


@require_safe
def order(request: HttpRequest, shop: str, order_no: str) -> HttpResponse:
    """The order; a browser that has not proved its right to it is asked for the lookup code, whoever's it is."""
    found = _opened(request, shop, order_no)
    if found is None:
        return _ask(order_no)
    return _page(request, *found)


@require_POST
def reveal_cards(request: HttpRequest, shop: str, order_no: str) -> HttpResponse:
    """Shows the delivered cards on the page itself; the look is recorded."""
    found = _opened(request, shop, order_no)
    if found is None:
        return _ask(order_no)
    merchant, checkout, actor = found
    return _page(request, merchant, checkout, actor, cards=reveal.reveal_cards(actor, checkout.order_no))


@require_POST
def mail(request: HttpRequest, shop: str, order_no: str) -> HttpResponse:
    """Sends the order number and the way back to it to an address the visitor names; never the code, never a card."""
    found = _opened(request, shop, order_no)
    if found is None:
        return _ask(order_no)
    merchant, checkout, actor = found
    try:
        to = catalog_fields.clean_email(request.POST.get("to", "")[:200])
        limits.spend(limits.MAILS, access.counted_as(access.address_of(request)))
        limits.spend(limits.MAILS_OF_ONE, number.text(checkout.order_no))
        CHANNELS["email"].send(to, _message(request, merchant, checkout))
    except ChadanError as error:
        return _page(request, merchant, checkout, actor, mail_error=error)
    messages.success(request, _("Sent. It may take a minute to arrive."))
    return HttpResponseRedirect(_url(merchant, checkout.order_no))


@require_safe
def again(request: HttpRequest, order_no: str) -> HttpResponse:
    """Goes to the product an order was for, with the form filled in as it was then."""
    found = access.opened(request, _parse(order_no))
    if found is None:
        return _ask(order_no)
    checkout = found[0]
    sold = Product.objects.filter(pk=checkout.product_id, active=True, version__isnull=False).exists()
    if not sold:
        messages.info(request, _("The shop does not sell this any more. Look at what else it has."))
        return HttpResponseRedirect(reverse("storefront:shop", args=(checkout.shop,)))
    path = reverse("storefront:product", args=(checkout.shop, checkout.product_id))
    return HttpResponseRedirect(f"{path}?{urlencode({'again': number.text(checkout.order_no)})}")


def lookup_url(order_no: int) -> str:
    """The lookup page with the number filled in."""
    return f"{reverse('storefront:lookup')}?{urlencode({'order': number.text(order_no)})}"


def _opened(request: HttpRequest, shop: str, order_no: str) -> tuple[Merchant, Checkout, Actor] | None:
    found = access.opened(request, _parse(order_no))
    if found is None or found[0].shop != shop:
        return None
    return merchant_of(shop), *found


def _ask(order_no: str) -> HttpResponse:
    return HttpResponseRedirect(lookup_url(_parse(order_no)))


def _parse(order_no: str) -> int:
    parsed = number.digits(order_no)
    if parsed is None:
        raise NotFound(_("There is no such order."))
    return parsed


def _url(merchant: Merchant, order_no: int) -> str:
    return reverse("storefront:order", args=(merchant.slug, number.text(order_no)))


def _page(  # noqa: PLR0917 - one page, and what is in it
    request: HttpRequest,
    merchant: Merchant,
    checkout: Checkout,
    actor: Actor,
    cards: list[str] | None = None,
    mail_error: ChadanError | None = None,
) -> HttpResponse:
    live = live_for(request, actor)
    detail = get_detail(actor, checkout.order_no)
    moving = detail.facts.status in _MOVING
    context = {
        "title": _("Order %(number)s") % {"number": number.text(checkout.order_no)},
        "shop": merchant,
        "order": detail,
        "checkout": checkout,
        "here": _url(merchant, checkout.order_no),
        "live": live,
        "made_code": keeping.code_of(request, checkout.order_no),
        "has_code": bool(checkout.lookup_hash),
        "qr_code": _qr(request.build_absolute_uri(lookup_url(checkout.order_no))),
        "pay_url": pay_url(checkout.order_no) if detail.facts.status == OrderStatus.PENDING_PAYMENT else "",
        "moving": moving,
        "cards": cards,
        "moments": told(detail.timeline),
        "mail_ready": CHANNELS["email"].ready(),
        "mail_error": mail_error,
        "mail_to": request.POST.get("to", "") or (checkout.contact if "@" in checkout.contact else ""),
    }
    response = render(request, "shop/order.html", context, status=mail_error.status if mail_error else 200)
    response["Cache-Control"] = "no-store"
    return response


def _message(request: HttpRequest, merchant: Merchant, checkout: Checkout) -> Message:
    shown = number.text(checkout.order_no)
    values = {
        "number": shown,
        "shop": merchant.name,
        "product": checkout.title,
        "amount": money(checkout.amount),
        "url": request.build_absolute_uri(lookup_url(checkout.order_no)),
    }
    return Message(
        _("Your order %(number)s at %(shop)s") % values,
        _(
            "Order number: %(number)s\nShop: %(shop)s\nProduct: %(product)s\nAmount: %(amount)s\n\n"
            "Find the order again with your lookup code:\n%(url)s\n"
        )
        % values,
    )


def _qr(text: str) -> Markup:
    # Colours as attributes: an inline style would break the content security policy.
    code = segno.make(text, error="m")
    return Markup(code.svg_inline(border=0, dark="#1a1d23", omitsize=True, svgclass=None, lineclass=None))  # noqa: S704
