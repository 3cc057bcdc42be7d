"""`/api/v1/supply`: what an agent's own system asks the shops above it. The agent is the shop the key belongs to."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router

from chadan.accounts.models import Merchant
from chadan.api import idempotency, questions, supply_docs
from chadan.api.keys import SUPPLY, KeyActor
from chadan.catalog.models import Reseller
from chadan.delivery import agents, supply_orders
from chadan.delivery.supply_orders import Json, Wanted, yuan
from chadan.money import balances
from chadan.money.balances import InsufficientBalance
from chadan.orders.events import actor_json
from chadan.platform.errors import ChadanError, Forbidden, InvalidInput
from chadan.platform.scope import OPERATOR, scoped
from chadan.storefront import stock

router = Router(tags=["supply"])
ROUTE = "POST /supply/orders"
_MOST_BODY = 64 * 1024


class PaymentRequired(ChadanError):
    """The agent's wallet does not hold enough."""

    code = "insufficient_balance"
    status = 402


@router.get(
    "/products",
    openapi_extra=supply_docs.PRODUCTS,
    operation_id="listSupplyProducts",
    summary="List what you may resell",
)
def products(request: HttpRequest) -> HttpResponse:
    """Products open to you, at your level's prices, of every shop that counts you among its agents (or of `merchant`)."""
    key = _key(request)
    listed: list[Json] = []
    for standing in _standings(key, request):
        goods = agents.open_products(standing.merchant_id)
        prices, left = agents.prices(goods, standing.level), stock.available(goods)
        listed.extend(_product(each, standing, prices[each.pk], left[each.pk]) for each in goods)
    return _answer({"data": listed})


@router.get("/balance", openapi_extra=supply_docs.BALANCE, operation_id="getSupplyBalance", summary="Read your wallets")
def balance(request: HttpRequest) -> HttpResponse:
    """What you hold with each shop above you."""
    key = _key(request)
    with scoped(OPERATOR) as session:
        held = [
            {
                "merchant": standing.merchant.slug,
                "merchant_name": standing.merchant.name,
                "balance": yuan(balances.wallet(session, standing.merchant_id, "agent", standing.agent_id)),
                "currency": "CNY",
            }
            for standing in _standings(key, request)
        ]
    return _answer({"data": held})


@router.post(
    "/orders",
    response={201: None},
    openapi_extra=supply_docs.ORDER,
    operation_id="placeSupplyOrder",
    summary="Buy for a customer of yours",
)
def place_order(request: HttpRequest) -> HttpResponse:
    """Places an order and pays it from your wallet, once for each Idempotency-Key and for each `your_order_no`."""
    key = _key(request)
    agent = Merchant.objects.get(pk=key.actor.merchant_id or 0)
    body = request.body
    wanted = _wanted(body)

    def work() -> tuple[int, str]:
        try:
            made = supply_orders.place_order(agent, wanted, actor_json(key.actor))
        except InsufficientBalance as error:
            raise PaymentRequired(
                _("Your wallet at this shop does not hold enough."), hint=_("Top it up and send the order again.")
            ) from error
        return 201, json.dumps(made, ensure_ascii=False)

    return idempotency.once(agent.pk, ROUTE, request.headers.get("Idempotency-Key", ""), body, work)


@router.get(
    "/orders", openapi_extra=supply_docs.FIND, operation_id="findSupplyOrder", summary="Find an order by your number"
)
def find_order(request: HttpRequest) -> HttpResponse:
    """Your orders of `your_order_no`: none, or one a shop. Ask this before you send an order again."""
    key = _key(request)
    yours = request.GET.get("your_order_no", "")
    if not yours:
        raise InvalidInput(_("Say which order: your_order_no."), field="your_order_no")
    return _answer({"data": supply_orders.by_your_number(key.actor, yours, request.GET.get("merchant", ""))})


@router.get(
    "/orders/{order_no}", openapi_extra=supply_docs.READ, operation_id="getSupplyOrder", summary="Read an order"
)
def read_order(request: HttpRequest, order_no: str) -> HttpResponse:
    """An order you placed here: where it stands and, once delivered, its cards."""
    key = _key(request)
    return _answer(supply_orders.shown(key.actor, questions.order_number(order_no)))


def _key(request: HttpRequest) -> KeyActor:
    key: KeyActor = request.auth  # type: ignore[attr-defined]  # ninja puts what KeyAuth returned there
    key.require(SUPPLY)
    if key.actor.merchant_id is None:
        raise Forbidden(_("Only a shop buys from other shops."))
    return key


def _standings(key: KeyActor, request: HttpRequest) -> list[Reseller]:
    found = agents.upstreams(key.actor.merchant_id or 0)
    merchant = request.GET.get("merchant", "")
    return [each for each in found if merchant in ("", each.merchant.slug)]


def _product(each: Any, standing: Reseller, price: int, left: int | None) -> Json:
    version = each.version
    return {
        "product_id": str(each.pk),
        "merchant": standing.merchant.slug,
        "title": each.title,
        "category": supply_docs.category(version.category),
        "delivery_kind": supply_docs.delivery_kind(version.delivery_kind),
        "face_value": None if version.face_value is None else yuan(version.face_value),
        "price": yuan(price),
        "currency": "CNY",
        "stock": left,
        "min_quantity": each.min_quantity,
        "max_quantity": each.max_quantity,
        "fields": [
            {
                "name": one.get("name"),
                "kind": one.get("kind"),
                "label": one.get("label", ""),
                "required": bool(one.get("required", True)),
            }
            for one in each.fields
        ],
    }


def _wanted(body: bytes) -> Wanted:
    """The order in a body. Raises InvalidInput."""
    if len(body) > _MOST_BODY:
        raise InvalidInput(_("That is too long."))
    try:
        said = json.loads(body)
    except ValueError as error:
        raise InvalidInput(_("Send a JSON object.")) from error
    if not isinstance(said, dict):
        raise InvalidInput(_("Send a JSON object."))
    if unknown := said.keys() - {"product_id", "quantity", "account", "fields", "your_order_no", "callback_url"}:
        raise InvalidInput(_("There is no such field."), field=str(min(unknown))[:60])
    fields = said.get("fields") or {}
    if not isinstance(fields, dict):
        raise InvalidInput(_("Fields are an object of texts."), field="fields")
    quantity = said.get("quantity", 1)
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 < quantity < 100_000:
        raise InvalidInput(_("The quantity is a whole number."), field="quantity")
    product_id = str(said.get("product_id", ""))
    if not product_id.isascii() or not product_id.isdecimal() or len(product_id) > 18:
        raise InvalidInput(_("The product_id is a number, as products lists it."), field="product_id")
    texts = {
        name: _text(said, name, most) for name, most in (("account", 100), ("your_order_no", 64), ("callback_url", 500))
    }
    if not texts["your_order_no"]:
        raise InvalidInput(_("Give the order a number of yours, of at most 64 characters."), field="your_order_no")
    given = {str(name): _text(fields, name, 200) for name in fields}
    return Wanted(product_id=int(product_id), quantity=quantity, fields=given, **texts)


def _text(said: Json, name: str, most: int) -> str:
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        raise InvalidInput(_("This is a text of at most %(most)d characters.") % {"most": most}, field=name)
    return value.strip()


def _answer(body: Json) -> HttpResponse:
    response = HttpResponse(json.dumps(body, ensure_ascii=False), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
