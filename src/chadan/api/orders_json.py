"""Orders as the API writes them: money as decimal strings, numbers as text, times RFC 3339 in +08:00."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from chadan.api.keys import ACCOUNTS, COST, KeyActor
from chadan.exports.masking import mask, mask_all
from chadan.orders.detail import Moment, OrderDetail
from chadan.orders.number import SHANGHAI, text
from chadan.orders.states import Category, Escrow, OrderStatus, PaymentMethod, PaymentStatus
from chadan.platform.scope import Matter
from chadan.search.rows import OrderRow, money
from chadan.search.summaries import Group, Summary

encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


@lru_cache(maxsize=1 << 16)
def yuan(fen: int | None) -> str | None:
    """`money`, remembering: prices repeat. None stays None."""
    return None if fen is None else money(fen)


class ListedOrder(msgspec.Struct, gc=False):
    """An order of a list, in the order its members are written; what a key or a role may not see is left unset."""

    order_no: str
    placed_at: str
    status: str
    has_after_sale: bool
    merchant: str
    agent: str | None
    buyer: str
    product: str
    brand: str
    category: str
    variant: str
    face_value: str | None
    quantity: int
    amount: str
    paid: str
    refunded: str
    currency: str
    payment_method: str | None
    platform: str
    escrow: str
    account: str
    source_order_no: str | None
    paid_at: datetime | None
    delivered_at: datetime | None
    completed_at: datetime | None
    refunded_at: datetime | None
    cancelled_at: datetime | None
    updated_at: datetime
    parent_order_no: str | msgspec.UnsetType | None
    cost: str | msgspec.UnsetType
    fee: str | msgspec.UnsetType
    profit: str | msgspec.UnsetType
    supplier: str | msgspec.UnsetType | None


def listed(key: KeyActor, rows: Sequence[OrderRow]) -> list[ListedOrder]:
    """A list's rows as this key sees them: costs where its role may, accounts masked unless allowed.

    Worked out a column at a time, because most columns are one call in C then; times are left to the encoder.
    """
    if not rows:
        return []
    columns: dict[str, Sequence[Any]] = dict(zip(OrderRow._fields, zip(*rows, strict=True), strict=True))
    shop, everywhere = key.actor.merchant_id, key.actor.kind == "operator"
    inside = [everywhere or merchant == shop for merchant in columns["merchant_id"]]
    costs = inside if key.may(COST) else [False] * len(rows)
    columns |= _said(columns)
    columns["buyer"] = [row.buyer_name or row.buyer_login for row in rows]
    columns["profit"] = _where(costs, [yuan(row.profit) for row in rows])
    columns["parent_order_no"] = _where(inside, [None if no is None else text(no) for no in columns["parent_order_no"]])
    for name in ("cost", "fee"):
        columns[name] = _where(costs, columns[name])
    suppliers = inside if key.actor.scope.may_ask(Matter.SUPPLIER) else [False] * len(rows)
    columns["supplier"] = _where(suppliers, columns["supplier"])
    if not key.may(ACCOUNTS):
        columns["account"] = mask_all(columns["account"])
    return list(map(ListedOrder, *(columns[name] for name in ListedOrder.__struct_fields__)))


def _said(columns: dict[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """The columns that are stored in other terms than the API's: numbers, codes, fen."""
    money_columns = ("face_value", "amount", "paid", "refunded", "cost", "fee")
    return {
        "order_no": [f"{no:019d}" for no in columns["order_no"]],
        "placed_at": [_day(no // 10**13) + _clock(no // 10**8 % 100_000) for no in columns["order_no"]],
        "product": columns["title"],
        "status": [_STATUS[code] for code in columns["status_code"]],
        "category": [_CATEGORY[code] for code in columns["category_code"]],
        "escrow": [_ESCROW[code] for code in columns["escrow_code"]],
        "payment_method": [None if code is None else _METHOD[code] for code in columns["payment_code"]],
        **{name: list(map(yuan, columns[name])) for name in money_columns},
    }


def _where(seen: Sequence[bool], values: Sequence[Any]) -> list[Any]:
    """The values of the rows that may be seen; the others' are absent."""
    return [value if here else msgspec.UNSET for value, here in zip(values, seen, strict=True)]


_STATUS, _CATEGORY, _METHOD, _ESCROW = (
    tuple(word.value for word in words) for words in (OrderStatus, Category, PaymentMethod, Escrow)
)


@lru_cache(maxsize=4096)
def _day(yymmdd: int) -> str:
    return f"20{yymmdd // 10000:02d}-{yymmdd // 100 % 100:02d}-{yymmdd % 100:02d}"


@lru_cache(maxsize=86_400)
def _clock(second: int) -> str:
    return f"T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}+08:00"


def detail_json(key: KeyActor, detail: OrderDetail) -> Json:
    """One order with payments, deliveries, notes, tags and timeline."""
    facts = detail.facts
    sees_cost = detail.sees_cost and key.may(COST)
    order: Json = {
        "order_no": text(facts.order_no),
        "placed_at": moment(facts.placed_at),
        "status": facts.status,
        "has_after_sale": facts.has_after_sale,
        "merchant": facts.merchant,
        "agent": facts.agent,
        "buyer": facts.buyer_name or facts.buyer_login,
        "product": facts.title,
        "brand": facts.brand,
        "category": facts.category,
        "variant": facts.variant,
        "face_value": None if facts.face_value is None else money(facts.face_value),
        "quantity": facts.quantity,
        "amount": money(facts.amount),
        "paid": money(facts.paid),
        "refunded": money(facts.refunded),
        "currency": facts.currency,
        "payment_method": facts.payment_method,
        "platform": facts.platform,
        "escrow": facts.escrow,
        "escrow_until": moment(facts.escrow_until),
        "account": facts.account if key.may(ACCOUNTS) else mask(facts.account) if facts.account else "",
        "source_order_no": facts.source_order_no,
        "delivery_kind": facts.delivery_kind,
        "relation": detail.relation,
        **{name: moment(getattr(facts, name)) for name in _TIMES},
        "payments": [_payment(row) for row in detail.payments],
        "deliveries": [_delivery(row, inside=detail.sees_supplier) for row in detail.deliveries],
        "cards": [{"line": card.line, "hint": card.hint} for card in detail.cards],
        "notes": [
            {"author": note.author, "internal": note.internal, "body": note.body, "at": moment(note.created_at)}
            for note in detail.notes
        ],
        "timeline": [_moment(point) for point in detail.timeline],
    }
    if detail.inside:
        order["tags"] = [tag.name for tag in detail.tags]
        order["parent_order_no"] = None if facts.parent_order_no is None else text(facts.parent_order_no)
    if sees_cost:
        order |= {"cost": money(facts.cost), "fee": money(facts.fee), "profit": money(detail.profit)}
    if detail.sees_supplier:
        order["supplier"] = facts.supplier
    return order


_TIMES = ("paid_at", "delivered_at", "completed_at", "refunded_at", "cancelled_at", "updated_at")
_PAYMENT_STATUS = tuple(PaymentStatus)


def _payment(row: Any) -> Json:
    return {
        "method": row.method,
        "status": _PAYMENT_STATUS[row.status_code],
        "amount": money(row.amount),
        "currency": row.currency,
        "out_no": row.out_no,
        "txn_no": row.txn_no,
        "channel": row.channel,
        "payee": row.payee,
        "created_at": moment(row.created_at),
        "paid_at": moment(row.paid_at),
    }


def _delivery(row: Any, *, inside: bool) -> Json:
    delivery: Json = {
        "kind": row.kind,
        "status": row.status,
        "reason": row.reason,
        "created_at": moment(row.created_at),
        "delivered_at": moment(row.delivered_at),
    }
    if inside:
        delivery |= {"supplier": row.supplier, "supplier_no": row.supplier_no}
    return delivery


def _moment(point: Moment) -> Json:
    return {"at": moment(point.at), "type": point.kind, "actor": point.who, "actor_kind": point.actor_kind}


def moment(at: datetime | None) -> str | None:
    """RFC 3339 in Shanghai's offset, whole seconds."""
    return None if at is None else at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def summary_json(summary: Summary) -> Json:
    """The answer to a count, sum, average or ranking; values in fen are written as decimal strings of yuan."""
    unit = "yuan" if summary.unit == "fen" else summary.unit
    return {
        "intent": "count" if summary.intent == "list" else summary.intent,
        "metric": summary.metric,
        "unit": unit,
        "value": _value(summary.unit, summary.value),
        "orders": summary.orders,
        "paid_orders": summary.paid_orders,
        "group_by": summary.group_by or None,
        "groups": [_group(summary.unit, group) for group in summary.groups],
        "truncated": summary.truncated,
    }


def _group(unit: str, group: Group) -> Json:
    return {"key": group.key, "label": group.label, "value": _value(unit, group.value), "orders": group.orders}


def _value(unit: str, value: Any) -> Any:
    if value is None:
        return None
    if unit == "fen":
        return money(int(value))
    return value if isinstance(value, int) else str(value)
