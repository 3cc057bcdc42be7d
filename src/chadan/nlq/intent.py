"""What is asked of the orders: list, count, sum, average or ranking; by what, in which order, how many (§11)."""

from __future__ import annotations

import re
from typing import Any

from chadan.nlq.numbers import small
from chadan.nlq.patterns import pattern
from chadan.nlq.sheet import KINDS, Sheet

GROUPS = (
    *("product", "category", "variant", "buyer", "merchant", "agent", "supplier", "platform"),
    *("payment_method", "status", "hour", "weekday", "day", "week", "month"),
)
PERIODS = {"daily": "day", "weekly": "week", "monthly": "month", "hourly": "hour"}


def read_intent(sheet: Sheet) -> dict[str, Any]:
    """Consumes the words of intent, grouping, order and limit; the slots they set."""
    got: dict[str, Any] = {}
    _explicit_sort(sheet, got)
    if _ranking(sheet, got):
        return got
    group = _group(sheet)
    measure = _measure(sheet)
    if group:
        got["group_by"] = group
        got["intent"] = measure.get("intent", "count")
    elif measure:
        got["intent"] = measure["intent"]
    if got.get("intent") in ("sum", "avg") and "metric" in measure:
        got["metric"] = measure["metric"]
    if measure.get("group_by") and "group_by" not in got:
        got["group_by"] = measure["group_by"]
    if "intent" in got:
        _every(sheet, "newest")
    else:
        _list_order(sheet, got)
    return got


def _first(sheet: Sheet, name: str, *, cover: bool = True) -> re.Match[str] | None:
    match = pattern(name).search(sheet.mask)
    if match and cover:
        sheet.cover(match.start(), match.end(), "intent")
    return match


def _every(sheet: Sheet, name: str) -> re.Match[str] | None:
    first = None
    for match in list(pattern(name).finditer(sheet.mask)):
        first = first or match
        sheet.cover(match.start(), match.end(), "intent")
    return first


def _explicit_sort(sheet: Sheet, got: dict[str, Any]) -> None:
    for name, by in (("sort_paid", "paid_at"), ("sort_placed", "placed_at"), ("sort_amount", "amount")):
        match = pattern(name).search(sheet.mask)
        if match and (pattern("sort_lead").match(match[0]) or pattern("sort_tail").search(match[0])):
            sheet.cover(match.start(), match.end(), "order")
            direction = "asc" if match["d_asc"] else "desc"
            if not match["d_asc"] and not match["d_desc"]:
                direction = _direction(sheet) or direction
            got["sort"] = {"by": by, "dir": direction}
            return
    for name, by, direction in (
        ("time_down", "placed_at", "desc"),
        ("time_up", "placed_at", "asc"),
        ("amount_down", "amount", "desc"),
        ("amount_up", "amount", "asc"),
    ):
        if _first(sheet, name):
            got["sort"] = {"by": by, "dir": direction}
            return


def _direction(sheet: Sheet) -> str | None:
    match = pattern("sort_direction").search(sheet.mask)
    if not match:
        return None
    sheet.cover(match.start(), match.end(), "order")
    return "asc" if match["d_asc"] else "desc"


def _noun(match: re.Match[str]) -> str | None:
    return next((name for name in GROUPS if name in match.re.groupindex and match[name] is not None), None)


def _ranking(sheet: Sheet, got: dict[str, Any]) -> bool:
    """A ranking of groups; False when the utterance is none."""
    mask = sheet.mask
    which, plural = pattern("ask_which").search(mask), pattern("ask_plural").search(mask)
    best, worst = pattern("best").search(mask), pattern("worst").search(mask)
    rank, number = pattern("ranking").search(mask), pattern("top_number").search(mask)
    if not (best or worst or rank or number):
        return False
    noun, limit = None, None
    if which and not (plural and plural.start() <= which.start()):
        noun, limit = _asked(which), 1
        if noun is None:
            noun = _ranked_noun(mask)
    elif plural:
        noun = _noun(plural) or "day"
    else:
        noun = _ranked_noun(mask)
    if rank and not noun and not pattern("order_rank").search(mask):
        noun = "product"
    if number and not noun and pattern("limit_n").match(mask, number.start()):
        return False
    if noun is None or (not which and not plural and _of_orders(mask, best or worst or number)):
        return False
    got.update(intent="top", group_by=noun)
    metric = _rank_metric(sheet)
    if metric:
        got["metric"] = metric
    if worst and not (best and best.start() < worst.start() and best.end() > worst.start()):
        got["sort"] = {"by": "metric", "dir": "asc"}
    limit = _rank_limit(mask, number) or limit
    if limit:
        got["limit"] = limit
    for name in (
        "least",
        "m_quantity",
        "m_profit",
        "m_count",
        "m_amount",
        "ask_plural",
        "ask_which",
        "top_number",
        "group_count",
        "ranking",
        "best",
        "worst",
    ):
        _every(sheet, name)
    _every(sheet, "ranked_noun")
    _every(sheet, "newest")
    if got.get("sort", {}).get("by") not in (None, "metric"):
        got.pop("sort")
    return True


def _of_orders(mask: str, extreme: re.Match[str] | None) -> bool:
    """Whether it is orders that are ranked: 最贵的, or …的订单 without a group noun behind the superlative."""
    if pattern("order_ask").search(mask):
        return True
    if extreme is None:
        return False
    named = pattern("ranked_noun").search(mask, extreme.start())
    return bool(pattern("of_orders").search(mask) and not named)


def _asked(match: re.Match[str]) -> str | None:
    if match["d"] or match["dn"]:
        return "day"
    if match["m"]:
        return "month"
    if match["w"]:
        return "week"
    if match["who"]:
        return "buyer"
    if match["clock"]:
        return "hour"
    if match["wk"]:
        return "weekday"
    return _noun(match)


def _ranked_noun(mask: str) -> str | None:
    """The group noun of a ranking: the last one, 商品 giving way to a narrower one."""
    found = [noun for match in pattern("ranked_noun").finditer(mask) if (noun := _noun(match))]
    narrower = [noun for noun in found if noun != "product"]
    chosen = narrower or found
    return chosen[-1] if chosen else None


def _rank_metric(sheet: Sheet) -> str | None:
    mask = sheet.mask
    if pattern("m_profit").search(mask):
        return "profit"
    if pattern("m_amount").search(mask):
        return None
    if pattern("m_count").search(mask):
        return "count"
    if pattern("m_quantity").search(mask) or pattern("best_selling").search(mask):
        return "quantity"
    if re.search(f"{KINDS['status']}+(?:[^\ue000-\uf8ff]{{0,3}})?{pattern('extreme').pattern}", mask):
        return "count"
    return None


def _rank_limit(mask: str, number: re.Match[str] | None) -> int | None:
    if number:
        return small(number["n"] or number["n2"])
    match = pattern("group_count").search(mask)
    return small(match["n"] or match["n2"]) if match else None


def _group(sheet: Sheet) -> str | None:
    match = _first(sheet, "per_group")
    if match:
        return _noun(match)
    if pattern("average_per_order").search(sheet.mask):
        return None
    match = _first(sheet, "per_period")
    if match:
        return next((value for name, value in PERIODS.items() if match[name]), None) or _noun(match)
    match = _first(sheet, "group_tail")
    return _noun(match) if match else None


def _measure(sheet: Sheet) -> dict[str, str]:
    """Intent and metric of the measure words."""
    out: dict[str, str] = {}
    average = _every(sheet, "average")
    quantity = _every(sheet, "m_quantity")
    profit = _every(sheet, "m_profit")
    of_status = _of_status(sheet)
    how_many = _every(sheet, "how_many")
    counted = _every(sheet, "m_count")
    how_much = _every(sheet, "how_much")
    amount = None if pattern("amount_extreme").search(sheet.mask) else _every(sheet, "m_amount")
    statistics = _every(sheet, "statistics")
    if average:
        out["intent"] = "avg"
        if quantity:
            out["metric"] = "quantity"
        elif profit:
            out["metric"] = "profit"
        elif (how_many or counted) and not (amount or how_much):
            out["metric"] = "count"
        group = next(
            (value for name, value in PERIODS.items() if name in average.re.groupindex and average[name]), None
        )
        if group:
            out["group_by"] = group
    elif profit:
        out.update(intent="sum", metric="profit")
        _every(sheet, "rest_of_profit")
    elif quantity:
        out.update(intent="sum", metric="quantity")
    elif of_status:
        out["intent"] = of_status
    elif how_many or counted:
        out["intent"] = "count"
    elif how_much or amount:
        out["intent"] = "sum"
    elif statistics:
        out["intent"] = "count"
    return out


def _of_status(sheet: Sheet) -> str:
    """What 多少 right behind a status or an event asks: 退了多少 money, 失败了多少 orders; empty when there is none."""
    match = _first(sheet, "verb_how_much")
    if not match:
        return ""
    status = next((piece.value for piece in sheet.having("status") if piece.end == match.start()), None)
    return "sum" if status in (None, ["refunded"]) else "count"


def _list_order(sheet: Sheet, got: dict[str, Any]) -> None:
    """Order and limit of a list."""
    for name, direction in (("last_one", "desc"), ("first_one", "asc")):
        if _first(sheet, name):
            got.setdefault("sort", {"by": "placed_at", "dir": direction})
            got["limit"] = 1
            return
    newest = pattern("newest").search(sheet.mask)
    number = pattern("limit_n").search(sheet.mask)
    if number:
        value = small(number["n"] or number["n2"] or number["n3"])
        if value and not pattern("not_limit").search(sheet.mask, max(0, number.start() - 3), number.start()):
            got["limit"] = min(value, 10**9)
            sheet.cover(number.start(), number.end(), "order")
    elif _first(sheet, "limit_one"):
        got["limit"] = 1
    for name, by, direction in (
        ("dearest", "amount", "desc"),
        ("cheapest", "amount", "asc"),
        ("oldest", "placed_at", "asc"),
    ):
        if _first(sheet, name):
            got.setdefault("sort", {"by": by, "dir": direction})
            _every(sheet, "newest")
            return
    if newest:
        _every(sheet, "newest")
        got.setdefault("sort", {"by": "placed_at", "dir": "desc"})
