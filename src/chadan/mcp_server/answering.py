"""The four tools: what each answers, from the same services and in the same words as the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from chadan.api import orders_json, questions
from chadan.api.keys import READ, KeyActor
from chadan.mcp_server import explaining
from chadan.mcp_server.asking import Asked, as_filter, ask
from chadan.mcp_server.redaction import cleaner, parted
from chadan.orders.detail import get_detail
from chadan.platform.errors import InvalidInput
from chadan.search import service
from chadan.search.order_query import NAME_FIELDS, OrderQuery
from chadan.search.summaries import summarise

MOST = 50
DEFAULT = 20
MOST_EVENTS = 50
Json = dict[str, Any]
_TYPED = (
    *("merchant", "agent", "buyer", "product", "brand", "variant", "platform", "account", "supplier"),
    *("source_order_no", "notes", "tags", "deliveries", "payments"),
)
"""Members of an order that hold what buyers, shops, suppliers or gateways wrote."""
_SUMMARIES = ("sum", "avg", "top")


def call(key: KeyActor, name: str, arguments: Mapping[str, Any]) -> Json:
    """The tool's answer to this key. Raises ChadanError; KeyError for a tool that does not exist."""
    tool = TOOLS[name]
    key.require(READ)
    return tool(key, arguments)


def find_orders(key: KeyActor, arguments: Mapping[str, Any]) -> Json:
    """A page of orders."""
    limit = arguments.get("limit", DEFAULT)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST:
        raise InvalidInput(f"“limit” must be a whole number from 1 to {MOST}.", field="limit")
    asked = ask({**arguments, "limit": limit}, key.actor, {})
    wanted = asked.query.replace(intent="list", metric="amount", group_by=None)
    if wanted.sort is not None and wanted.sort.by == "metric":
        wanted = wanted.replace(sort=None)
    page = service.find_orders(key.actor.scope, wanted, asked.question.view, asked.question.cursor, limit)
    if asked.question.doubt and not page.rows and not asked.question.cursor:
        raise asked.question.doubt
    listed: list[Json] = msgspec.to_builtins(orders_json.listed(key, page.rows))
    accounts = [row.account or "" for row in page.rows]
    answer: Json = {
        "orders": [
            parted(order, _TYPED, cleaner(key, account)) for order, account in zip(listed, accounts, strict=True)
        ],
        "has_more": page.has_more,
        "next_cursor": page.next_cursor,
        **_asked(asked, wanted),
    }
    if asked.query.intent != "list":
        answer["hint"] = (
            f"The question asks for a number ({asked.query.intent}); count_orders or summarise_orders answer it."
        )
    return answer


def count_orders(key: KeyActor, arguments: Mapping[str, Any]) -> Json:
    """How many orders match, grouped or not."""
    return _summary(key, arguments, ("count",))


def summarise_orders(key: KeyActor, arguments: Mapping[str, Any]) -> Json:
    """A sum, an average or a ranking."""
    return _summary(key, arguments, _SUMMARIES)


def _summary(key: KeyActor, arguments: Mapping[str, Any], intents: tuple[str, ...]) -> Json:
    given = {name: arguments[name] for name in ("intent", "metric", "group_by") if arguments.get(name)}
    if given.get("intent", intents[0]) not in intents:
        raise InvalidInput(f"“intent” must be one of: {', '.join(intents)}.", field="intent")
    asked = ask(arguments, key.actor, {name: str(value) for name, value in given.items()})
    query = asked.query
    if query.intent not in intents:
        query = query.replace(intent=intents[0], **({"metric": "amount"} if intents == ("count",) else {}))
    answer = orders_json.summary_json(summarise(key.actor.scope, query, asked.question.view))
    if asked.question.doubt and not answer["orders"]:
        raise asked.question.doubt
    if answer["group_by"] in NAME_FIELDS:
        clean = cleaner(key)
        answer["groups"] = [parted(group, ("key", "label"), clean) for group in answer["groups"]]
    return {**answer, **_asked(asked, query)}


def explain_order(key: KeyActor, arguments: Mapping[str, Any]) -> Json:
    """One order: its state, how it came there, where its money is, what happens next."""
    text = arguments.get("order_no")
    if not isinstance(text, str):
        raise InvalidInput("“order_no” must be the order's number, 19 digits as text.", field="order_no")
    detail = get_detail(key.actor, questions.order_number(text))
    order = orders_json.detail_json(key, detail)
    clean = cleaner(key, detail.facts.account or "")
    timeline = order.pop("timeline")
    order["cards"] = len(order["cards"])  # how many; not even their hints leave
    order["timeline_cut"] = len(timeline) > MOST_EVENTS
    order["timeline"] = [parted(moment, ("actor",), clean) for moment in timeline[-MOST_EVENTS:]]
    order["notes"] = order["notes"][-MOST_EVENTS:]
    return {
        "order": parted(order, _TYPED, clean),
        "state": explaining.state(detail),
        "money": explaining.money(key, detail),
        "next": explaining.what_next(detail),
    }


def _asked(asked: Asked, query: OrderQuery) -> Json:
    """How the question was understood: the filter to send for the next page, and the words nobody understood."""
    understood: Json = {"filter": as_filter(query)}
    if query.sort is not None and query.sort.by != "metric":
        understood["sort"] = ("-" if query.sort.dir == "desc" else "") + query.sort.by
    if asked.reading is not None and asked.reading.unknown:
        understood["searched_as_text"] = asked.reading.unknown
    return {"understood": understood}


TOOLS: dict[str, Callable[[KeyActor, Mapping[str, Any]], Json]] = {
    "find_orders": find_orders,
    "count_orders": count_orders,
    "summarise_orders": summarise_orders,
    "explain_order": explain_order,
}
