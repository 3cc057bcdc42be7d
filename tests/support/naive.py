"""What an OrderQuery means, said as plainly as possible over dicts: the compilers are held against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from chadan.orders import number
from chadan.platform.scope import Matter, Scope
from chadan.search.names import CATEGORY_NAMES
from chadan.search.order_query import Exclude, IdMatch, OrderQuery, Range

Order = dict[str, Any]


def visible(order: Order, scope: Scope, view: str | None) -> bool:
    """Whether `scope` may see the order in `view`."""
    agent = order["agent"]
    if view == "purchases":
        return agent is not None and agent.id in scope.merchants
    if (view == "sales" and agent is not None) or (view == "agent" and agent is None):
        return False
    if scope.operator:
        return True
    if scope.merchants:
        return view != "consumer" and order["merchant"].id in scope.merchants
    return scope.buyer == order["buyer"].id and view not in ("sales", "agent")


def match_id(candidates: Iterable[str], match: IdMatch) -> bool:
    """Whether one of the numbers satisfies everything given, case ignored."""
    for candidate in candidates:
        text = candidate.lower()
        if (
            (not match.equals or text in [value.lower() for value in match.equals])
            and text.startswith(match.prefix.lower())
            and text.endswith(match.suffix.lower())
            and match.contains.lower() in text
        ):
            return True
    return False


def same(name: str, values: Iterable[str]) -> bool:
    """Whether a name is one of the values, casefolded."""
    return name.casefold() in [value.casefold() for value in values]


def person(someone: Any, values: Iterable[str]) -> bool:
    """Whether somebody's name or login is one of the values."""
    return someone is not None and (same(someone.name, values) or bool(someone.login and same(someone.login, values)))


def product(order: Order, values: Iterable[str]) -> bool:
    """Whether a value is the brand, or part of title, category title or a standard name of the category."""
    version = order["version"]
    texts = [version["title"].casefold(), version["category_title"].casefold(), *CATEGORY_NAMES[version["category"]]]
    keys = [value.casefold() for value in values]
    return any(key == version["brand"].casefold() or any(key in text for text in texts) for key in keys)


def text(order: Order, wanted: str, *, inside: bool) -> bool:
    """Whether the text is part of title, account, the buyer's login or name, or, for the shop itself, the notes."""
    if wanted.casefold() in order["version"]["title"].casefold():
        return True
    places = (order["account"], (order["note"] or "") if inside else "", order["buyer"].login, order["buyer"].name)
    return any(wanted.lower() in place.lower() for place in places)


def in_range(value: int | None, bounds: Range | None) -> bool:
    """Whether the value lies within; nothing lies within a range that is given."""
    if bounds is None:
        return True
    if value is None:
        return False
    return (bounds.min is None or value >= bounds.min) and (bounds.max is None or value <= bounds.max)


MEMBERS: dict[str, Callable[[Order, Any], bool]] = {
    "status": lambda order, values: order["status"] in values,
    "category": lambda order, values: order["version"]["category"] in values,
    "payment_method": lambda order, values: order["payment_method"] in values,
    "account": lambda order, match: match_id([order["account"]], match),
    "product": product,
    "variant": lambda order, values: same(order["version"]["variant"], values),
    "platform": lambda order, values: order["platform"].lower() in [value.lower() for value in values],
    "buyer": lambda order, values: person(order["buyer"], values),
    "merchant": lambda order, values: person(order["merchant"], values),
    "agent": lambda order, values: person(order["agent"], values),
    "supplier": lambda order, values: person(order["supplier"], values),
    "tag": lambda order, values: any(same(tag.name, values) for tag in order["tags"]),
}


def members(order: Order, holder: OrderQuery | Exclude) -> list[bool]:
    """For every member field given, whether the order matches it."""
    return [test(order, getattr(holder, name)) for name, test in MEMBERS.items() if getattr(holder, name)]


def in_time(order: Order, query: OrderQuery) -> bool:
    """Whether the timestamp asked for lies in [from, to)."""
    if query.time is None:
        return True
    moment = order[f"{query.time.field}_at"]
    if moment is None:
        return False
    return (query.time.start is None or moment >= query.time.start) and (
        query.time.end is None or moment < query.time.end
    )


def matches(order: Order, query: OrderQuery, scope: Scope, view: str | None = None) -> bool:
    """Whether the query, asked within `scope`, means the order."""
    ours = [number.text(order["order_no"]), *([order["source_order_no"]] if order["source_order_no"] else [])]
    inside = scope.operator or (bool(scope.merchants) and (view or query.role_view) != "purchases")
    kinds = (1, 2, 3) if inside and Matter.SUPPLIER in scope.asks else (1, 2)
    outside = [ref for kind, ref in order["refs"] if kind in kinds]
    return (
        visible(order, scope, view or query.role_view)
        and all(members(order, query))
        and not (query.exclude and any(members(order, query.exclude)))
        and in_time(order, query)
        and (query.order_no is None or match_id(ours, query.order_no))
        and (query.external_no is None or match_id(outside, query.external_no))
        and (query.has_after_sale is None or order["has_after_sale"] == query.has_after_sale)
        and in_range(order["face_value"], query.face_value)
        and in_range(order["amount"], query.amount)
        and in_range(order["quantity"], query.quantity)
        and (not query.text or text(order, query.text, inside=inside))
    )


def listed(orders: list[Order], query: OrderQuery, scope: Scope, view: str | None = None) -> list[int]:
    """The order numbers the query lists, in its order."""
    found = [order for order in orders if matches(order, query, scope, view)]
    by = query.sort.by if query.sort else "placed_at"
    down = query.sort is None or query.sort.dir == "desc"
    key = {"placed_at": "order_no", "paid_at": "paid_at"}.get(by, "amount")
    valued = sorted(
        (order for order in found if order[key] is not None), key=lambda o: (o[key], o["order_no"]), reverse=down
    )
    missing = sorted((order for order in found if order[key] is None), key=lambda o: o["order_no"], reverse=down)
    numbers = [order["order_no"] for order in [*valued, *missing]]
    return numbers[: query.limit] if query.limit else numbers


def measure(orders: list[Order], intent: str, metric: str) -> int | Decimal | None:
    """The sum or average of a measure over the orders."""
    paid = [order for order in orders if order["paid_at"] is not None]
    money = sum(order["paid"] - order["refunded"] for order in paid)
    total = {
        "amount": money,
        "count": len(orders),
        "quantity": sum(order["quantity"] for order in paid),
        "profit": money - sum(order["cost"] for order in paid),
    }[metric]
    if intent != "avg" or metric == "count":
        return total
    if not paid:
        return None
    places = Decimal("0.01") if metric == "quantity" else Decimal(1)
    return (Decimal(total) / len(paid)).quantize(places, ROUND_HALF_UP)


def group_key(order: Order, by: str) -> Any:
    """The group an order belongs to, None for none."""
    placed = order["placed_at"]
    week = placed.isocalendar()
    keys: dict[str, Callable[[], Any]] = {
        "product": lambda: order["version"]["product_id"],
        "category": lambda: str(order["version"]["category"]),
        "variant": lambda: order["version"]["variant"],
        "day": lambda: placed.strftime("%Y-%m-%d"),
        "week": lambda: placed.fromisocalendar(week.year, week.week, 1).strftime("%Y-%m-%d"),
        "month": lambda: placed.strftime("%Y-%m"),
        "hour": lambda: placed.hour,
        "weekday": placed.isoweekday,
        "platform": lambda: order["platform"],
        "payment_method": lambda: str(order["payment_method"]) if order["payment_method"] else None,
        "status": lambda: str(order["status"]),
    }
    if by in keys:
        return keys[by]()
    return order[by].id if order[by] else None


def grouped(found: list[Order], query: OrderQuery, by: str) -> dict[str, int | Decimal | None]:
    """The measure of every group; a ranking leaves out orders without one."""
    groups: dict[Any, list[Order]] = defaultdict(list)
    for order in found:
        groups[group_key(order, by)].append(order)
    if query.intent == "top":
        groups.pop(None, None)
    intent, metric = ("count", "count") if query.intent in ("list", "count") else (query.intent, query.metric)
    return {"" if key is None else str(key): measure(orders, intent, metric) for key, orders in groups.items()}
