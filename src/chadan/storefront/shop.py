"""The shop's own pages: what it sells, and one product with the form that orders it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from chadan.accounts.actors import Actor, actors_of
from chadan.accounts.models import Buyer, Merchant, User
from chadan.catalog import fields as catalog_fields
from chadan.catalog.fields import Field
from chadan.catalog.models import PaymentChannel, Product
from chadan.orders import events, number, reveal
from chadan.orders.guest import guest_actor
from chadan.orders.states import Category, DeliveryKind
from chadan.payments.attempts import channels_for
from chadan.platform.errors import ChadanError, NotFound
from chadan.storefront import access, keeping, limits, offers, stock
from chadan.web.labels import label

PAGE = 60
FEW = 10
"""From here down the shop says how many are left in words that hurry."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A product as the visitor sees it: fen for one piece, pieces left (None: not counted)."""

    product: Product
    price: int
    left: int | None

    @property
    def delivery(self) -> DeliveryKind:
        """How it reaches the buyer."""
        version = self.product.version
        return DeliveryKind.of(version.delivery_kind) if version else DeliveryKind.MANUAL

    @property
    def sold_out(self) -> bool:
        """Whether it cannot be had now."""
        return self.left is not None and self.left < self.product.min_quantity

    @property
    def few(self) -> bool:
        """Whether it will soon be sold out."""
        return self.left is not None and not self.sold_out and self.left <= FEW


def merchant_of(slug: str) -> Merchant:
    """The shop of an address. Raises NotFound."""
    merchant = Merchant.objects.filter(slug=slug).first()
    if merchant is None:
        raise NotFound(_("There is no such shop."))
    return merchant


@require_safe
def products(request: HttpRequest, shop: str) -> HttpResponse:
    """What the shop sells, by category; `q` searches in it, `category` keeps one."""
    merchant = merchant_of(shop)
    buyer = access.buyer_of(request)
    typed, category = request.GET.get("q", "").strip()[:100], _category(request.GET.get("category", ""))
    everything = _searched(merchant, typed)
    counts = dict(everything.order_by().values_list("version__category").annotate(Count("pk")))
    chosen = everything if category is None else everything.filter(version__category=category.code)
    page = Paginator(chosen, PAGE).get_page(request.GET.get("page"))
    context = {
        "title": merchant.name,
        "shop": merchant,
        "q": typed,
        "category": category,
        "tabs": _tabs(merchant, typed, category, counts),
        "groups": _groups(offers_of(merchant, page.object_list, buyer)),
        "page": page,
        **_page_urls(request, page),
    }
    return render(request, "shop/products.html", context)


def offers_of(merchant: Merchant, chosen: Any, buyer: Buyer | None) -> list[Offer]:
    """The products with the visitor's prices and what is left of them."""
    listed = list(chosen)
    prices = offers.prices_of(merchant.pk, listed, buyer.pk if buyer else None)
    left = stock.available(listed)
    return [Offer(product, prices[product.pk], left[product.pk]) for product in listed]


@require_http_methods(["GET", "HEAD", "POST"])
def product(request: HttpRequest, shop: str, product_id: int) -> HttpResponse:
    """One product; a POST orders it and goes to the payment, or to the order's page where there is none."""
    merchant = merchant_of(shop)
    chosen = offers.offered(merchant, product_id)
    buyer = access.buyer_of(request)
    if request.method != "POST":
        return _form(request, merchant, chosen, buyer, _prefilled(request, merchant, chosen))
    wanted = _wanted(request, chosen)
    try:
        if buyer is None:
            limits.spend(limits.ORDERS, access.counted_as(access.address_of(request)))
        placed = offers.checkout(merchant, chosen, buyer, wanted, events.actor_json(_actor(request, buyer)))
    except NotFound:
        raise
    except ChadanError as error:
        return _form(request, merchant, chosen, buyer, request.POST.dict(), error)
    access.remember(request, placed.order_no)
    if buyer is None and not wanted.code.strip():
        keeping.keep(request, placed.order_no, wanted.token)
    if not placed.new:
        messages.info(request, _("You had placed this order already; here it is."))
    return HttpResponseRedirect(_after(request, merchant, placed.order_no))


def pay_url(order_no: int) -> str:
    """Where an order is paid; "" while no room takes payments."""
    path = f"/pay/{number.text(order_no)}/"
    try:
        resolve(path)
    except Resolver404:
        return ""
    return path


def _after(request: HttpRequest, merchant: Merchant, order_no: int) -> str:
    channel = request.POST.get("channel", "")
    if paying := pay_url(order_no):
        return f"{paying}?{urlencode({'channel': channel})}" if channel.isdecimal() else paying
    return reverse("storefront:order", args=(merchant.slug, number.text(order_no)))


def _actor(request: HttpRequest, buyer: Buyer | None) -> Actor:
    if buyer is not None and isinstance(request.user, User):
        return next(actor for actor in actors_of(request.user) if actor.scope.buyer == buyer.pk)
    return guest_actor(0)


def _wanted(request: HttpRequest, chosen: Product) -> offers.Wanted:
    sent = request.POST
    typed = {field.name: sent.get(f"f-{field.name}", "") for field in catalog_fields.read(chosen.fields)}
    quantity, shown = sent.get("quantity", "1"), sent.get("price", "")
    plain = catalog_fields.tidy(quantity)
    return offers.Wanted(
        quantity=int(plain) if plain.isdecimal() and len(plain) < 7 else 0,
        fields=typed,
        ported=[name for name in typed if sent.get(f"ported-{name}")],
        local=[name for name in typed if sent.get(f"local-{name}")],
        shown_price=int(shown) if shown.isdecimal() and len(shown) < 16 else -1,
        token=_token(request),
        contact=sent.get("contact", ""),
        code=sent.get("code", ""),
        ip=access.address_of(request),
    )


def _token(request: HttpRequest) -> str:
    """Names this very click: the form's token, what was filled in, and the browser. Another browser that sends the same
    form places its own order; so does the same form changed.
    """
    kept = sorted((key, value) for key, value in request.POST.items() if key != "csrfmiddlewaretoken")
    get_token(request)
    return sha256(repr((request.META.get("CSRF_COOKIE", ""), request.path, kept)).encode()).hexdigest()[:40]


def _form(  # noqa: PLR0917 - one page, and what is in it
    request: HttpRequest,
    merchant: Merchant,
    chosen: Product,
    buyer: Buyer | None,
    typed: dict[str, str],
    error: ChadanError | None = None,
) -> HttpResponse:
    offer = offers_of(merchant, [chosen], buyer)[0]
    asked = catalog_fields.read(chosen.fields)
    context = {
        "title": chosen.title,
        "shop": merchant,
        "offer": offer,
        "product": chosen,
        "category": Category.of(chosen.version.category) if chosen.version else Category.OTHER,
        "fields": asked,
        "doubts": _doubts(asked, typed) if error else {},
        "inputs": catalog_fields.INPUT,
        "typed": {"quantity": chosen.min_quantity, **typed},
        "errors": error.errors if isinstance(error, offers.Refused) else {},
        "error": error,
        "changed": error if isinstance(error, offers.PriceChanged) else None,
        "buyer": buyer,
        "channels": channels(merchant.pk, guest=buyer is None),
        "token": typed.get("token") or secrets.token_urlsafe(16),
    }
    response = render(request, "shop/product.html", context, status=error.status if error else 200)
    get_token(request)  # the token of a double click binds to this cookie
    return response


def _doubts(asked: list[Field], typed: dict[str, str]) -> dict[str, set[str]]:
    """The phone fields where the buyer may say that they know better: "ported" (a number that was moved to the carrier) and "local"
    (it is from the province all the same). Each is offered where it is what the number was refused for, and stays once ticked.
    """
    found: dict[str, set[str]] = {"ported": set(), "local": set()}
    for field in asked:
        value = typed.get(f"f-{field.name}", "")
        for name, without in (("ported", replace(field, carriers=())), ("local", replace(field, regions=()))):
            if without != field and (typed.get(f"{name}-{field.name}") or _refuses(field, without, value)):
                found[name].add(field.name)
    return found


def _refuses(field: Field, without: Field, value: str) -> bool:
    """Whether `value` is refused for what `without` leaves out. The other doubt is set aside."""
    ported, local = bool(without.carriers), bool(without.regions)
    ((_values, errors), (_kept, rest)) = (
        catalog_fields.clean_all([each], {each.name: value}, ported=[each.name] * ported, local=[each.name] * local)
        for each in (field, without)
    )
    return bool(errors) and not rest


def channels(merchant_id: int, *, guest: bool) -> list[PaymentChannel]:
    """The ways to pay the merchant offers; a guest has no wallet to pay from."""
    return [channel for channel in channels_for(merchant_id) if not guest or channel.protocol != "balance"]


def _prefilled(request: HttpRequest, merchant: Merchant, chosen: Product) -> dict[str, str]:
    """What an earlier order of the visitor's filled in (`again`), for buying the same once more."""
    asked = number.parse(request.GET.get("again", ""))
    found = access.opened(request, asked) if asked is not None else None
    if found is None or found[0].merchant_id != merchant.pk:
        return {}
    before, actor = found
    values = dict(before.fields)
    account = next((each for each in catalog_fields.read(chosen.fields) if each.kind in catalog_fields.ACCOUNTS), None)
    if account is not None:
        # Shown in full here, so it is a look like any other; orders from elsewhere have no fields, but an account.
        shown = reveal.reveal_account(actor, before.order_no)
        values.setdefault(account.name, shown)
    quantity = min(max(before.quantity, chosen.min_quantity), chosen.max_quantity)
    kept = {f"f-{name}": value for name, value in values.items()}
    return {**kept, "quantity": str(quantity), "contact": before.contact}


def _searched(merchant: Merchant, typed: str) -> QuerySet[Product]:
    found = Product.objects.filter(merchant=merchant, active=True, version__isnull=False).select_related("version")
    for word in typed.casefold().split():
        found = found.filter(
            Q(version__title_key__contains=word)
            | Q(version__brand_key__contains=word)
            | Q(version__category_key__contains=word)
            | Q(version__variant_key__contains=word)
        )
    return found.order_by("version__category", "position", "pk")


def _category(word: str) -> Category | None:
    return Category(word) if word in list(Category) else None


@dataclass(frozen=True, slots=True)
class Tab:
    """One category's link."""

    text: str
    url: str
    active: bool
    count: int


def _tabs(merchant: Merchant, typed: str, category: Category | None, counts: dict[int, int]) -> list[Tab]:
    path = reverse("storefront:shop", args=(merchant.slug,))
    kept = {"q": typed} if typed else {}

    def address(**more: str) -> str:
        return f"{path}?{urlencode({**kept, **more})}" if kept or more else path

    shown = [Tab(_("All"), address(), category is None, sum(counts.values()))]
    for each in Category:
        if each.code in counts:
            shown.append(Tab(label(each), address(category=each.value), each == category, counts[each.code]))
    return shown


def _groups(listed: list[Offer]) -> list[tuple[Category, list[Offer]]]:
    groups: dict[Category, list[Offer]] = {}
    for offer in listed:
        version = offer.product.version
        groups.setdefault(Category.of(version.category) if version else Category.OTHER, []).append(offer)
    return list(groups.items())


def _page_urls(request: HttpRequest, page: Page[Product]) -> dict[str, str | None]:
    def address(place: int) -> str:
        parameters = request.GET.copy()
        parameters["page"] = str(place)
        return f"{request.path}?{parameters.urlencode()}"

    return {
        "previous_url": address(page.previous_page_number()) if page.has_previous() else None,
        "next_url": address(page.next_page_number()) if page.has_next() else None,
    }
