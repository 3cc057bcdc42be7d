"""The questions `bench sql` asks: every single filter, the commonest combinations, page 1000, counts, tabs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chadan.bench.keys import Order, Shop
from chadan.bench.sites import UNTIL
from chadan.orders.states import Category
from chadan.platform.scope import OPERATOR, Scope
from chadan.search.order_query import OrderQuery, local_text

ASKED = 24
"""How many keys a case has, at most."""
_SHOPS = 6
"""The shops lists are asked of: the larger ones."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: whose, what, in which view, which kind of answer, from which page on."""

    scope: Scope
    query: OrderQuery
    view: str | None = None
    kind: str = "list"
    page: int = 1


def window(days: float) -> dict[str, Any]:
    """The last days before the newest order."""
    return {"time": {"field": "placed", "from": local_text(UNTIL - timedelta(days=days)), "to": local_text(UNTIL)}}


def _span(field: str, start: datetime, days: int) -> dict[str, Any]:
    return {"time": {"field": field, "from": local_text(start), "to": local_text(start + timedelta(days=days))}}


def _pick(values: list[Any], place: int) -> Any:
    return values[place % len(values)] if values else None


Make = Callable[[Shop, Order, int], dict[str, Any] | None]
_STATES = ("completed", "delivered", "refunded", "failed", "cancelled")
_METHODS = ("alipay", "wechat", "balance")


def _category(shop: Shop, i: int) -> str:
    return str(Category.of(_pick(shop.categories, i)))


def _named(field: str, values: str) -> Make:
    def make(shop: Shop, _order: Order, i: int) -> dict[str, Any] | None:
        value = _pick(getattr(shop, values), i)
        return None if value is None else {field: [value]}

    return make


SINGLE: dict[str, Make] = {
    "no filter": lambda _s, _o, _i: {},
    "last 30 days": lambda _s, _o, _i: window(30),
    "today": lambda _s, _o, _i: window(1),
    "one month": lambda _s, o, _i: _span("placed", _month(o), 28),
    "status": lambda _s, _o, i: {"status": [_pick(list(_STATES), i)]},
    "category": lambda s, _o, i: {"category": [_category(s, i)]},
    "product": _named("product", "brands"),
    "variant": _named("variant", "variants"),
    "face_value": lambda s, _o, i: {"face_value": {"min": _pick(s.faces, i), "max": _pick(s.faces, i)}},
    "amount": lambda _s, _o, i: {"amount": {"min": 2000 * (1 + i % 4), "max": 2000 * (1 + i % 4) + 3000}},
    "quantity": lambda _s, _o, _i: {"quantity": {"min": 2}},
    "payment_method": lambda _s, _o, i: {"payment_method": [_pick(list(_METHODS), i)]},
    "platform": lambda _s, o, _i: {"platform": [o.platform]},
    "buyer": lambda _s, o, _i: {"buyer": [o.buyer]},
    "agent": _named("agent", "agents"),
    "supplier": _named("supplier", "suppliers"),
    "tag": _named("tag", "tags"),
    "account equals": lambda _s, o, _i: {"account": {"equals": [o.account]}},
    "account suffix": lambda _s, o, _i: {"account": {"suffix": o.account[-4:]}},
    "account prefix": lambda _s, o, _i: {"account": {"prefix": o.account[:7]}},
    "order_no prefix": lambda _s, o, _i: {"order_no": {"prefix": f"{o.order_no:019d}"[:6]}},
    "order_no suffix": lambda _s, o, _i: {"order_no": {"suffix": f"{o.order_no:019d}"[-4:]}},
    "external_no": lambda _s, o, _i: {"external_no": {"equals": [o.txn_no]}} if o.txn_no else None,
    "external_no suffix": lambda _s, o, _i: {"external_no": {"suffix": o.txn_no[-8:]}} if o.txn_no else None,
    "has_after_sale": lambda _s, _o, _i: {"has_after_sale": True},
    "paid in": lambda _s, o, _i: _span("paid", _month(o), 28),
    "completed in": lambda _s, o, _i: _span("completed", _month(o), 28),
    "refunded in": lambda _s, o, _i: _span("refunded", _month(o), 28),
    "text": lambda s, _o, i: {"text": str(_pick(s.brands, i))[:4]},
    "without status": lambda _s, _o, _i: {"exclude": {"status": ["cancelled", "pending_payment"]}},
    "without payment_method": lambda _s, _o, i: {"exclude": {"payment_method": [_pick(list(_METHODS), i)]}},
    "without category": lambda s, _o, i: {"exclude": {"category": [_category(s, i)]}},
    "without product": lambda s, _o, i: {"exclude": {"product": [_pick(s.brands, i)]}},
    "without platform": lambda _s, o, _i: {"exclude": {"platform": [o.platform]}},
    "without tag": lambda s, _o, i: {"exclude": {"tag": [_pick(s.tags, i)]}},
    "oldest first": lambda _s, _o, _i: {"sort": {"by": "placed_at", "dir": "asc"}},
    "by amount": lambda _s, _o, _i: {"sort": {"by": "amount", "dir": "desc"}},
    "by paid_at": lambda _s, _o, _i: {"sort": {"by": "paid_at", "dir": "desc"}},
}
"""Every filter alone, over all time but where the filter is a time."""

COMBINED: dict[str, Make] = {
    "30 d, status": lambda _s, _o, i: {**window(30), "status": [_pick(list(_STATES), i)]},
    "30 d, status, category": lambda s, _o, i: {**window(30), "status": ["completed"], "category": [_category(s, i)]},
    "30 d, product": lambda s, _o, i: {**window(30), "product": [_pick(s.brands, i)]},
    "90 d, status, product": lambda s, _o, i: {
        **window(90),
        "status": ["completed", "delivered"],
        "product": [_pick(s.brands, i)],
    },
    "last month, category, face value": lambda s, o, i: {
        **_span("placed", _month(o), 28),
        "category": [_category(s, i)],
        "face_value": {"min": _pick(s.faces, 0), "max": _pick(s.faces, 0)},
    },
    "30 d, payment, amount": lambda _s, _o, i: {
        **window(30),
        "payment_method": [_pick(list(_METHODS), i)],
        "amount": {"min": 1000, "max": 20000},
    },
    "status, category, payment, amount": lambda s, _o, i: {
        "status": ["completed"],
        "category": [_category(s, i)],
        "payment_method": [_pick(list(_METHODS), i)],
        "amount": {"min": 1000, "max": 20000},
    },
    "30 d, platform, status": lambda _s, o, _i: {**window(30), "platform": [o.platform], "status": ["completed"]},
    "7 d, without cancelled": lambda _s, _o, _i: {**window(7), "exclude": {"status": ["cancelled"]}},
    "30 d, account suffix": lambda _s, o, _i: {**window(30), "account": {"suffix": o.account[-4:]}},
}
"""The ten commonest combinations."""


def _month(order: Order) -> datetime:
    from chadan.orders import number

    return number.placed_at(order.order_no).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def cases(shops: list[Shop]) -> Iterator[tuple[str, list[Ask]]]:
    """Every case with its questions."""
    yield "lookup", list(_lookups(shops, shop_of=True))
    yield "lookup, as the operator", list(_lookups(shops, shop_of=False))
    for group, makers in (("list", SINGLE), ("list", COMBINED)):
        for name, make in makers.items():
            yield f"{group}: {name}", _asked(shops, make)
    yield "list: agent orders, 30 d", _asked(shops, lambda _s, _o, _i: window(30), view="agent")
    yield "page 1000", [Ask(shop.scope, OrderQuery(), page=1000) for shop in shops[:2]]
    yield (
        "page 1000, by amount",
        [
            Ask(shop.scope, OrderQuery.from_dict({"sort": {"by": "amount", "dir": "desc"}}), page=1000)
            for shop in shops[:2]
        ],
    )
    yield "list: a buyer's", [Ask(Scope(buyer=order.buyer_id), OrderQuery()) for order in _orders(shops)]
    yield "list: the operator's", [Ask(OPERATOR, OrderQuery())]
    yield (
        "list: the operator's, 30 d, status",
        [Ask(OPERATOR, OrderQuery.from_dict({**window(30), "status": [state]})) for state in _STATES[:2]],
    )
    for name, make in (("30 d", SINGLE["last 30 days"]), ("all time", SINGLE["no filter"])):
        yield f"count: {name}", _asked(shops, make, kind="count")
        yield f"tabs: {name}", _asked(shops, make, kind="tabs")


def fragments(shops: list[Shop]) -> Iterator[tuple[str, list[Ask]]]:
    """Searches for a piece of an account of 6, 7 and 8 characters."""
    for name, within in (("all time", {}), ("30 d", window(30))):
        asks = []
        for place, order in enumerate(_orders(shops, 8)):
            size = 6 + place % 3
            start = min(1 + place % 3, max(len(order.account) - size, 0))
            piece = {"account": {"contains": order.account[start : start + size]}}
            shop = next(shop for shop in shops if shop.id == order.merchant_id)
            asks.append(Ask(shop.scope, OrderQuery.from_dict({**within, **piece})))
        yield f"fragment: {name}", asks


def _lookups(shops: list[Shop], *, shop_of: bool) -> Iterator[Ask]:
    scopes = {shop.id: shop.scope for shop in shops}
    for order in _orders(shops):
        query = OrderQuery.from_dict({"order_no": {"equals": [f"{order.order_no:019d}"]}})
        yield Ask(scopes[order.merchant_id] if shop_of else OPERATOR, query)


def _orders(shops: list[Shop], each: int = 2) -> list[Order]:
    return [order for place in range(each) for shop in shops for order in shop.orders[3 * place % 10 :][:1]]


def _asked(shops: list[Shop], make: Make, view: str | None = None, kind: str = "list") -> list[Ask]:
    asks = []
    for i in range(ASKED):
        shop = shops[i % _SHOPS]
        data = make(shop, shop.orders[i % len(shop.orders)], i // _SHOPS)
        if data is not None:
            asks.append(Ask(shop.scope, OrderQuery.from_dict(data), view, kind))
    return asks
