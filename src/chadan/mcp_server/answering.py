"""The four tools: what each answers, from the same services and in the same words as the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from chadan.api import orders_json, questions
from chadan.api.keys import READ, KeyActor
from chadan.asking.notes import problems_of
from chadan.mcp_server import explaining
from chadan.mcp_server.asking import as_filter, ask
from chadan.mcp_server.redaction import cleaner, parted
from chadan.orders.detail import get_detail
from chadan.platform.errors import InvalidInput
from chadan.search import readings
from chadan.search.order_query import NAME_FIELDS, OrderQuery
from chadan.search.summaries import Summary, summarise

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
    wanted = [_as_list(query) for query in (asked.query, *asked.otherwise)]
    query, page = readings.find(key.actor.scope, wanted, view=asked.view, cursor=asked.cursor, limit=limit)
    if asked.doubt and not page.rows and not asked.cursor:
        raise asked.doubt
    listed: list[Json] = msgspec.to_builtins(orders_json.listed(key, page.rows))
    accounts = [row.account or "" for row in page.rows]
    answer: Json = {
        "orders": [
            parted(order, _TYPED, cleaner(key, account)) for order, account in zip(listed, accounts, strict=True)
        ],
        "has_more": page.has_more,
        "next_cursor": page.next_cursor,
        "understood": _understood(asked, query, arguments),
    }
    if asked.query.intent != "list":
        answer["hint"] = (
            f"The question asks for a number ({asked.query.intent}); count_orders or summarise_orders answer it."
        )
    return answer


def _as_list(query: OrderQuery) -> OrderQuery:
    """The orders a question is about, in an order that a list can have."""
    plain = query.replace(intent="list", metric="amount", group_by=None)
    return plain.replace(sort=None) if plain.sort is not None and plain.sort.by == "metric" else plain


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
    query, summary = _first(key, asked, [_as_number(one, intents) for one in (asked.query, *asked.otherwise)])
    if asked.doubt and not summary.orders:
        raise asked.doubt
    answer = orders_json.summary_json(summary)
    if answer["group_by"] in NAME_FIELDS:
        clean = cleaner(key)
        answer["groups"] = [parted(group, ("key", "label"), clean) for group in answer["groups"]]
    return {**answer, "understood": _understood(asked, query, arguments)}


def _as_number(query: OrderQuery, intents: tuple[str, ...]) -> OrderQuery:
    if query.intent in intents:
        return query
    return query.replace(intent=intents[0], **({"metric": "amount"} if intents == ("count",) else {}))


def _first(key: KeyActor, asked: questions.Question, wanted: Sequence[OrderQuery]) -> tuple[OrderQuery, Summary]:
    """The first reading that is about any order, else the first; as a list tries them."""
    found = [(wanted[0], summarise(key.actor.scope, wanted[0], asked.view))]
    for query in wanted[1:]:
        if found[-1][1].orders:
            return found[-1]
        found.append((query, summarise(key.actor.scope, query, asked.view)))
    return found[-1] if found[-1][1].orders else found[0]


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


def _understood(asked: questions.Question, query: OrderQuery, arguments: Mapping[str, Any]) -> Json:
    """How the question was understood: the filter to send for the next page, and the words nobody understood.

    A saved view may hold an account that this key sees masked: it is named, not written out.
    """
    saved = arguments.get("filter", {}).get("saved") if arguments.get("filter") else None
    if saved:
        known: Json = {"saved": str(saved), "next_page": "Send the same arguments with `next_cursor` as `cursor`."}
    else:
        known = {"filter": {**as_filter(query), **({"view": asked.view} if asked.view else {})}}
    if query.sort is not None and query.sort.by != "metric":
        known["sort"] = ("-" if query.sort.dir == "desc" else "") + query.sort.by
    if asked.said is not None and asked.said.unknown:
        known["searched_as_text" if query.text else "not_understood"] = asked.said.unknown
    if asked.said is not None:
        known["read_by"] = asked.said.source
        if notes := [problem.message for problem in problems_of(asked.said)]:
            known["notes"] = notes
    return known


TOOLS: dict[str, Callable[[KeyActor, Mapping[str, Any]], Json]] = {
    "find_orders": find_orders,
    "count_orders": count_orders,
    "summarise_orders": summarise_orders,
    "explain_order": explain_order,
}
