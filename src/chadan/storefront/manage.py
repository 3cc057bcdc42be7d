"""The merchant's products: the list, the form, on sale or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chadan.accounts.actors import Actor, Permission
from chadan.accounts.models import Merchant
from chadan.catalog import products as catalog
from chadan.catalog.models import Product
from chadan.platform.errors import InvalidInput, NotFound
from chadan.storefront import levels as buyer_levels
from chadan.storefront import stock
from chadan.storefront.product_form import ProductForm, initial_of
from chadan.storefront.shop import Tab

P = ParamSpec("P")
PAGE = 50
LEVEL_WORDS = tuple(str(level) for level in (0, *catalog.LEVELS))


def for_shop(view: Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """Gives the view the merchant capacity: the chosen one, else the first held. Strangers go to the login page.

    Raises NotFound for somebody who works for no shop.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        held: list[Actor] = request.capacities  # type: ignore[attr-defined]  # accounts.middleware
        chosen: Actor | None = request.actor  # type: ignore[attr-defined]
        shops = [actor for actor in (chosen, *held) if actor and actor.merchant_id is not None]
        if not shops:
            raise NotFound(_("There is no such page or order."))
        request.actor = shops[0]  # type: ignore[attr-defined]  # the layout shows who acts on this page
        return view(request, shops[0], *args, **kwargs)

    return wrapper


@require_safe
@for_shop
def my_shop(_request: HttpRequest, actor: Actor) -> HttpResponse:
    """The way to the shop's own pages, for its staff."""
    assert actor.merchant_id is not None  # noqa: S101 - `for_shop` saw to it
    slug = Merchant.objects.values_list("slug", flat=True).get(pk=actor.merchant_id)
    return HttpResponseRedirect(reverse("storefront:shop", args=(slug,)))


@require_safe
@for_shop
def products(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The list: `q` searches titles and brands, `state` keeps what is on sale or off."""
    merchant_id = catalog.shop_of(actor)
    typed, state = request.GET.get("q", "").strip()[:100], request.GET.get("state", "")
    everything = Product.objects.filter(merchant_id=merchant_id)
    found = everything.select_related("version").order_by("version__category", "position", "pk")
    for word in typed.casefold().split():
        found = found.filter(Q(title__icontains=word) | Q(version__brand_key__contains=word))
    if state in ("on", "off"):
        found = found.filter(active=state == "on")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    on_sale = everything.filter(active=True).count()
    context = {
        "title": _("Products"),
        "shop": Merchant.objects.get(pk=merchant_id),
        "page": page,
        "left": stock.available(page.object_list),
        "q": typed,
        "state": state,
        "tabs": [
            Tab(_("All"), _address(q=typed), state not in ("on", "off"), everything.count()),
            Tab(_("On sale"), _address(q=typed, state="on"), state == "on", on_sale),
            Tab(_("Off sale"), _address(q=typed, state="off"), state == "off", everything.count() - on_sale),
        ],
        "previous_url": _paged(request, page.previous_page_number()) if page.has_previous() else None,
        "next_url": _paged(request, page.next_page_number()) if page.has_next() else None,
    }
    return render(request, "shop/manage.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_shop
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new product."""
    catalog.shop_of(actor)
    form = ProductForm(request.POST or None, sees_cost=actor.may(Permission.SEE_COST))
    if request.method == "POST" and form.is_valid():
        made = catalog.create(actor, form.data_of())
        messages.success(request, _("“%(title)s” is on sale.") % {"title": made.title})
        return HttpResponseRedirect(reverse("storefront:products"))
    return _form_page(request, form, _("New product"), None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_shop
def edit(request: HttpRequest, actor: Actor, product_id: int) -> HttpResponse:
    """A product changed."""
    product = catalog.product_of(actor, product_id)
    form = ProductForm(request.POST or None, initial=initial_of(product), sees_cost=actor.may(Permission.SEE_COST))
    if request.method == "POST" and form.is_valid():
        catalog.update(actor, product_id, form.data_of())
        messages.success(request, _("Saved."))
        return HttpResponseRedirect(reverse("storefront:product-edit", args=(product_id,)))
    return _form_page(request, form, product.title, product)


@require_POST
@for_shop
def state(request: HttpRequest, actor: Actor, product_id: int) -> HttpResponse:
    """Puts a product on sale (`active=1`) or takes it off."""
    product = catalog.set_active(actor, product_id, active=request.POST.get("active") == "1")
    said = _("“%(title)s” is on sale.") if product.active else _("“%(title)s” is off sale.")
    messages.success(request, said % {"title": product.title})
    return HttpResponseRedirect(reverse("storefront:products"))


@require_http_methods(["GET", "HEAD", "POST"])
@for_shop
def levels(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Buyers with a price level, and the form that gives one; `who` in the address fills it in."""
    sent, error = request.POST, None
    if request.method == "POST":
        level = sent.get("level", "")
        try:
            buyer = buyer_levels.give(actor, sent.get("who", "")[:200], int(level) if level in LEVEL_WORDS else -1)
        except InvalidInput as refused:
            error = refused
        else:
            words = {"buyer": str(buyer), "level": level}
            said = (
                _("%(buyer)s has price level %(level)s now.") if level != "0" else _("%(buyer)s pays the usual price.")
            )
            messages.success(request, said % words)
            return HttpResponseRedirect(reverse("storefront:levels"))
    context = {
        "title": _("Price levels"),
        "levelled": buyer_levels.levelled(actor),
        "choices": [
            (word, _("Level %(n)s") % {"n": word} if word != "0" else _("Usual price")) for word in LEVEL_WORDS
        ],
        "who": (sent.get("who", "") or request.GET.get("who", ""))[:200],
        "level": sent.get("level", "1"),
        "error": error,
    }
    return render(request, "shop/levels.html", context, status=error.status if error else 200)


def _form_page(request: HttpRequest, form: ProductForm, title: str, product: Product | None) -> HttpResponse:
    context = {"title": title, "form": form, "product": product}
    return render(request, "shop/manage_product.html", context, status=400 if form.errors else 200)


def _address(**parameters: str) -> str:
    return reverse("storefront:products", query={name: value for name, value in parameters.items() if value} or None)


def _paged(request: HttpRequest, place: int) -> str:
    parameters = request.GET.copy()
    parameters["page"] = str(place)
    return f"{request.path}?{parameters.urlencode()}"
