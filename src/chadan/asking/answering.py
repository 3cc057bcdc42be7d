"""The answer to a question for a number: how many, how much, the average, the best; and which orders are behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from chadan.orders.number import SHANGHAI
from chadan.platform.scope import Scope
from chadan.search import order_query as oq
from chadan.search.chips import default_label
from chadan.search.order_query import OrderQuery, TimeRange
from chadan.search.summaries import Group, Summary, summarise
from chadan.search.wording import say
from chadan.search.written import fen_text

SHOWN = 20
"""Groups in a chart."""
_SERIES = {"hour": 24, "weekday": 7, "day": 31, "week": 26, "month": 24}
"""Groups that follow each other in time, and how many a chart shows: the last ones."""
_TITLES = {
    ("count", "count"): "Number of orders",
    ("sum", "amount"): "Total amount",
    ("sum", "quantity"): "Total pieces",
    ("sum", "profit"): "Total profit",
    ("sum", "count"): "Number of orders",
    ("avg", "amount"): "Average amount of an order",
    ("avg", "quantity"): "Average pieces of an order",
    ("avg", "profit"): "Average profit of an order",
    ("avg", "count"): "Average number of orders",
    ("top", "amount"): "Ranking by amount",
    ("top", "quantity"): "Ranking by pieces sold",
    ("top", "profit"): "Ranking by profit",
    ("top", "count"): "Ranking by number of orders",
}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMED = frozenset({"product", "buyer", "merchant", "agent", "supplier", "platform", "variant"})


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: its value in words, its length in hundredths of the longest, and the question for its orders."""

    label: str
    value: str
    length: int
    query: OrderQuery | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A number, or a chart when there are groups. `orders` is how many orders are behind it."""

    title: str
    value: str
    orders: int
    bars: tuple[Bar, ...]
    more: str
    """What to do to see the groups that are not shown; empty when there are none, or a number of groups was named."""


def asks_for_number(query: OrderQuery) -> bool:
    """Whether a query asks for a number or groups, and not just for the orders."""
    return query.intent != "list" or query.group_by is not None


def answer(scope: Scope, query: OrderQuery, view: str | None = None) -> Answer | None:
    """The answer to a query that asks for one; None for a list. Raises Forbidden for what the scope may not ask."""
    if not asks_for_number(query):
        return None
    asked = query if query.intent != "list" else query.replace(intent="count")
    summary = summarise(scope, asked, view)
    title = say(_TITLES[asked.intent, summary.metric])
    groups = _shown_groups(asked, summary)
    longest = max((_size(group) for group in groups), default=0.0)
    bars = tuple(
        Bar(
            _label(summary.group_by, group),
            _shown(group.value, summary.unit),
            int(100 * _size(group) / longest) if longest else 0,
            _behind(query, summary.group_by, group),
        )
        for group in groups
    )
    more = _more(asked, summary, len(groups))
    value = "" if asked.intent == "top" else _shown(summary.value, summary.unit)
    return Answer(title, value, summary.orders, bars, more)


def answered(scope: Scope, queries: Iterable[OrderQuery], view: str | None = None) -> tuple[OrderQuery, Answer] | None:
    """The first of the readings that are questions for a number with orders behind it, else the first; None without any."""
    first: tuple[OrderQuery, Answer] | None = None
    for query in queries:
        found = answer(scope, query, view)
        if found is not None and found.orders:
            return query, found
        first = first or (None if found is None else (query, found))
    return first


def in_words(found: Answer) -> str:
    """The answer as plain text, for the terminal."""
    head = f"{found.title}: {found.value}" if found.value else found.title
    lines = [f"  {bar.label}: {bar.value}" for bar in found.bars]
    return "\n".join([head, *lines])


def listed(query: OrderQuery) -> OrderQuery:
    """The orders behind a question: its filters, without what asks for a number."""
    plain = query.replace(intent="list", metric="amount", group_by=None)
    if query.intent != "list":
        plain = plain.replace(limit=None)
    return plain.replace(sort=None) if query.sort and query.sort.by == "metric" else plain


def _shown_groups(asked: OrderQuery, summary: Summary) -> list[Group]:
    """The groups of the chart: as many as were named, else of a ranking the first, of a series the latest."""
    if asked.limit is not None:
        return summary.groups
    if asked.intent == "top" or summary.group_by not in _SERIES:
        return summary.groups[:SHOWN]
    return summary.groups[-_SERIES[summary.group_by] :]


def _more(asked: OrderQuery, summary: Summary, shown: int) -> str:
    if asked.limit is not None or not (summary.truncated or len(summary.groups) > shown):
        return ""
    if asked.intent == "top":
        return say("There are more groups; name a number to see that many.")
    if summary.group_by in _SERIES:
        return say("Only the latest are shown; name a time to see others.")
    return say("There are more groups; narrow the question to see them.")


def _size(group: Group) -> float:
    return abs(float(group.value or 0))


def _shown(value: int | Decimal | None, unit: str) -> str:
    if value is None:
        return say("none")
    if unit == "fen":
        return f"{'-' if value < 0 else ''}¥{fen_text(abs(int(value)))}"
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    return say("{number} orders", number=number) if unit == "orders" else say("{number} pieces", number=number)


def _label(group_by: str, group: Group) -> str:
    if not group.key:
        return say("(none)")
    if group_by == "weekday":
        return say(_WEEKDAYS[int(group.key) - 1])
    if group_by == "hour":
        return f"{int(group.key):02d}:00"
    if group_by == "week":
        return say("week of {day}", day=group.key)
    return default_label(group_by, group.label)


def _behind(query: OrderQuery, group_by: str, group: Group) -> OrderQuery | None:
    """The question for the orders of one group; None where no filter says it (an hour of all days, orders without one)."""
    if not group.key:
        return None
    plain = listed(query)
    if group_by in oq.ENUM_FIELDS:
        return OrderQuery.from_dict({**plain.to_dict(), group_by: [group.key]})
    if group_by in _NAMED:
        return plain.replace(**{group_by: (group.label,)})
    window = _window(group_by, group.key)
    if window is None or (plain.time is not None and plain.time.field != "placed"):
        return None
    return plain.replace(time=TimeRange(field="placed", start=_start(window[0]), end=_start(window[1])))


def _window(group_by: str, key: str) -> tuple[date, date] | None:
    if group_by in ("day", "week"):
        first = date.fromisoformat(key)
        return first, first + timedelta(days=7 if group_by == "week" else 1)
    if group_by == "month":
        first = date.fromisoformat(f"{key}-01")
        return first, (first + timedelta(days=31)).replace(day=1)
    return None


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)
