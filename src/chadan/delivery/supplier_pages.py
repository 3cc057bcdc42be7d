"""The pages of suppliers: /m/suppliers. A secret is typed here and never shown again."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chadan.accounts.actors import Actor
from chadan.catalog.models import Supplier
from chadan.delivery import connections, parked, supplier_admin, supply_sync
from chadan.delivery.supplier_admin import Wanted
from chadan.delivery.suppliers.base import Item
from chadan.delivery.suppliers.registry import PROTOCOLS, protocol_of
from chadan.exports.views import signed_in
from chadan.orders import number
from chadan.platform.errors import ChadanError, Forbidden, InvalidInput, NotFound
from chadan.web.format import money
from chadan.web.forms import done

KINDS: dict[str, Promise] = {
    "acg": gettext_lazy("acg-faka shared shop"),
    "dujiao": gettext_lazy("dujiao-next upstream"),
    "chadan": gettext_lazy("Another Chadan"),
}
FIELDS: dict[str, Promise] = {
    "app_id": gettext_lazy("Merchant number (app_id)"),
    "app_key": gettext_lazy("Key (app_key)"),
    "api_key": gettext_lazy("API key"),
    "api_secret": gettext_lazy("API secret"),
    "merchant": gettext_lazy("The shop's short name"),
    "webhook_secret": gettext_lazy("Signing secret of callbacks (whsec_…)"),
}
_QUIET = (Forbidden, NotFound)


@require_safe
@signed_in
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The shop's suppliers and their health, and purchases that wait for a person's word."""
    suppliers = supplier_admin.listed(actor)
    names = {supplier.pk: supplier.name for supplier in suppliers}
    waiting = [(one, names.get(one.supplier_id, "")) for one in parked.waiting(actor)]
    rows = [(one, KINDS[one.protocol], connections.available(one)) for one in suppliers]
    return render(request, "delivery/suppliers.html", {"title": _("Suppliers"), "rows": rows, "waiting": waiting})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """First the kind, then its form; sent, the connection stands there, not in use yet."""
    supplier_admin.listed(actor)
    protocol = (request.POST if request.method == "POST" else request.GET).get("protocol", "")
    if protocol not in PROTOCOLS:
        return render(request, "delivery/supplier_kind.html", {"title": _("New supplier"), "kinds": KINDS.items()})
    if request.method != "POST":
        return _page(request, actor, Supplier(protocol=protocol))
    try:
        made = supplier_admin.create(actor, protocol, _wanted(request.POST, protocol))
    except InvalidInput as error:
        return _page(request, actor, Supplier(protocol=protocol), error)
    messages.success(request, _("The supplier is saved. Test it, then put it to use."))
    return redirect("delivery:supplier", made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, supplier_id: int) -> HttpResponse:
    """One supplier: its connection, its health, which products it delivers, and the search for more."""
    supplier = supplier_admin.get(actor, supplier_id)
    if request.method != "POST":
        return _page(request, actor, supplier)
    try:
        supplier_admin.change(actor, supplier_id, _wanted(request.POST, supplier.protocol))
    except _QUIET:
        raise
    except ChadanError as error:
        return _page(request, actor, supplier, error)
    messages.success(request, _("The supplier is saved."))
    return redirect("delivery:supplier", supplier_id)


@require_POST
@signed_in
def state(request: HttpRequest, actor: Actor, supplier_id: int) -> HttpResponse:
    """Puts a supplier to use, or stops buying there."""
    active = request.POST.get("active") == "1"
    try:
        supplier_admin.set_active(actor, supplier_id, active=active)
    except _QUIET:
        raise
    except ChadanError as error:
        return _page(request, actor, supplier_admin.get(actor, supplier_id), error)
    messages.success(request, _("Purchases go there now.") if active else _("Nothing more is bought there."))
    return redirect("delivery:supplier", supplier_id)


@require_POST
@signed_in
def check(request: HttpRequest, actor: Actor, supplier_id: int) -> HttpResponse:
    """Asks the supplier for our balance, or for prices and stock of everything mapped."""
    try:
        if request.POST.get("what") == "sync":
            supplier_admin.get(actor, supplier_id)
            many = supply_sync.sync(supplier_id)
            messages.success(request, _("Prices and stock are up to date: %(many)d products.") % {"many": many})
        else:
            balance = supplier_admin.try_out(actor, supplier_id)
            said = _("The supplier answers. Balance there: %(balance)s.") % {"balance": money(balance)}
            messages.success(request, said)
    except _QUIET:
        raise
    except ChadanError as error:
        return _page(request, actor, supplier_admin.get(actor, supplier_id), error)
    return redirect("delivery:supplier", supplier_id)


@require_POST
@signed_in
def add_source(request: HttpRequest, actor: Actor, supplier_id: int) -> HttpResponse:
    """Lets one of the supplier's products deliver one of ours."""
    supplier_admin.get(actor, supplier_id)
    typed = request.POST
    product_id, priority = _whole(typed.get("product", "")), _whole(typed.get("priority", "0"))
    try:
        supplier_admin.map_product(actor, supplier_id, product_id, _item(typed), priority)
    except InvalidInput as error:
        return _page(request, actor, supplier_admin.get(actor, supplier_id), error)
    messages.success(request, _("The supplier delivers this product from now on."))
    return redirect("delivery:supplier", supplier_id)


@require_POST
@signed_in
def drop_source(request: HttpRequest, actor: Actor, supplier_id: int, source_id: int) -> HttpResponse:
    """Stops buying a product there."""
    supplier_admin.unmap(actor, supplier_id, source_id)
    messages.success(request, _("The supplier no longer delivers this product."))
    return redirect("delivery:supplier", supplier_id)


@require_POST
@signed_in
def decide(request: HttpRequest, actor: Actor, order_no: str, seq: int) -> HttpResponse:
    """What somebody found on the supplier's own pages about a purchase nobody else can know about."""
    wanted = _number(order_no)

    def act() -> str:
        if request.POST.get("bought") == "1":
            parked.bought(actor, wanted, seq, request.POST.get("supplier_no", ""))
            return _("The purchase is taken up under the supplier's number.")
        parked.not_bought(actor, wanted, seq)
        return _("The goods are bought elsewhere, or the order fails.")

    return done(request, act, "delivery:suppliers")


def _page(request: HttpRequest, actor: Actor, supplier: Supplier, error: ChadanError | None = None) -> HttpResponse:
    api = protocol_of(supplier.protocol)
    saved = supplier.pk is not None
    typed = request.POST if "name" in request.POST else None
    known = supplier_admin.set_secrets(supplier) if saved else set()

    def value(key: str, stored: str) -> str:
        return typed.get(key, "") if typed is not None else stored

    found: list[Item] = []
    words = request.GET.get("q", "")
    if saved and "q" in request.GET:
        try:
            found = supplier_admin.search(actor, supplier.pk, words)
        except ChadanError as wrong:
            error = error or wrong
    context = {
        "title": supplier.name or _("New supplier"),
        "supplier": supplier,
        "saved": saved,
        "kind": KINDS[supplier.protocol],
        "name": value("name", supplier.name),
        "base_url": value("base_url", supplier.base_url),
        "settings": [
            (f"set-{name}", FIELDS[name], value(f"set-{name}", supplier.settings.get(name, "")))
            for name in api.setting_names
        ],
        "secrets": [(f"secret-{name}", FIELDS[name], name in known) for name in api.secret_names],
        "problems": supplier_admin.problems(supplier) if saved else [],
        "healthy": connections.available(supplier),
        "notify_url": connections.callback_url(supplier) if saved and api.calls_back else "",
        "sources": [one for one in supplier_admin.sources_of(actor, supplier.pk) if one.active] if saved else [],
        "products": [(one.pk, one.title) for one in supplier_admin.products_of(actor)] if saved else [],
        "found": [(one, json.dumps(dict(one.options), ensure_ascii=False)) for one in found],
        "q": words,
        "searched": "q" in request.GET,
        "error": error,
    }
    return render(request, "delivery/supplier.html", context, status=200 if error is None else 400)


def _wanted(typed: QueryDict, protocol: str) -> Wanted:
    api = protocol_of(protocol)
    return Wanted(
        name=typed.get("name", ""),
        base_url=typed.get("base_url", ""),
        settings={name: typed.get(f"set-{name}", "") for name in api.setting_names},
        secrets={name: typed.get(f"secret-{name}", "") for name in api.secret_names},
    )


def _item(typed: QueryDict) -> Item:
    """The supplier's product as the search listed it. Raises InvalidInput."""
    try:
        options = json.loads(typed.get("options") or "{}")
    except ValueError as error:
        raise InvalidInput(_("Choose one of the supplier's products."), field="options") from error
    if not isinstance(options, dict) or len(typed.get("options", "")) > 2000:
        raise InvalidInput(_("Choose one of the supplier's products."), field="options")
    return Item(typed.get("ref", "").strip(), "", _fen(typed.get("price", "")), _fen(typed.get("stock", "")), options)


def _fen(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None


def _whole(text: str) -> int:
    return _fen(text) or 0


def _number(typed: str) -> int:
    """An order number in an address. Raises NotFound."""
    if not typed.isascii() or not typed.isdecimal() or not number.is_valid(int(typed[:25])):
        raise NotFound(_("There is no such order."))
    return int(typed)
