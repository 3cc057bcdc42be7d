"""Orders as the API writes them: money as decimal strings, numbers as text, times RFC 3339 in +08:00."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from chadan.api.keys import ACCOUNTS, COST, KeyActor
from chadan.exports.masking import mask
from chadan.orders.detail import Moment, OrderDetail
from chadan.orders.number import SHANGHAI, text
from chadan.orders.states import Category, Escrow, OrderStatus, PaymentMethod, PaymentStatus
from chadan.search.rows import OrderRow, money
from chadan.search.summaries import Group, Summary

encode = msgspec.json.Encoder().encode
Json = dict[str, Any]
yuan = lru_cache(maxsize=1 << 16)(money)
"""`money`, remembering: prices repeat."""


def row_writer(key: KeyActor) -> Callable[[OrderRow], Json]:
    """What turns a list's row into JSON for this key: what its role may not see is absent, accounts masked unless allowed."""
    actor = key.actor
    shop = actor.merchant_id
    everywhere = actor.kind == "operator"
    sees_cost = key.may(COST)
    plain = key.may(ACCOUNTS)

    def write(row: OrderRow) -> Json:
        order = _common(row)
        if not plain:
            order["account"] = mask(row.account)
        if everywhere or row.merchant_id == shop:
            parent = row.parent_order_no
            order["parent_order_no"] = None if parent is None else text(parent)
            if sees_cost:
                order["cost"] = yuan(row.cost)
                order["fee"] = yuan(row.fee)
                order["profit"] = yuan(row.profit)
                order["supplier"] = row.supplier
        return order

    return write


def _common(row: OrderRow) -> Json:
    """What everybody sees of a row. Written out flat, times left to the encoder: a page does this fifty times."""
    order_no, face, method = row.order_no, row.face_value, row.payment_code
    second = order_no // 10**8 % 100_000
    return {
        "order_no": f"{order_no:019d}",
        "placed_at": f"{_day(order_no // 10**13)}T{_CLOCK[second // 60]}:{second % 60:02d}+08:00",
        "status": _STATUS[row.status_code],
        "has_after_sale": row.has_after_sale,
        "merchant": row.merchant,
        "agent": row.agent,
        "buyer": row.buyer_name or row.buyer_login,
        "product": row.title,
        "brand": row.brand,
        "category": _CATEGORY[row.category_code],
        "variant": row.variant,
        "face_value": None if face is None else yuan(face),
        "quantity": row.quantity,
        "amount": yuan(row.amount),
        "paid": yuan(row.paid),
        "refunded": yuan(row.refunded),
        "currency": row.currency,
        "payment_method": None if method is None else _METHOD[method],
        "platform": row.platform,
        "escrow": _ESCROW[row.escrow_code],
        "account": row.account,
        "source_order_no": row.source_order_no,
        "paid_at": row.paid_at,
        "delivered_at": row.delivered_at,
        "completed_at": row.completed_at,
        "refunded_at": row.refunded_at,
        "cancelled_at": row.cancelled_at,
        "updated_at": row.updated_at,
    }


_STATUS, _CATEGORY, _METHOD, _ESCROW = (
    tuple(word.value for word in words) for words in (OrderStatus, Category, PaymentMethod, Escrow)
)
_CLOCK = tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440))


@lru_cache(maxsize=4096)
def _day(yymmdd: int) -> str:
    return f"20{yymmdd // 10000:02d}-{yymmdd // 100 % 100:02d}-{yymmdd % 100:02d}"


def detail_json(key: KeyActor, detail: OrderDetail) -> Json:
    """One order with payments, deliveries, notes, tags and timeline."""
    facts = detail.facts
    inside = detail.sees_supplier
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
        "deliveries": [_delivery(row, inside=inside and sees_cost) for row in detail.deliveries],
        "cards": [{"line": card.line, "hint": card.hint} for card in detail.cards],
        "notes": [
            {"author": note.author, "internal": note.internal, "body": note.body, "at": moment(note.created_at)}
            for note in detail.notes
        ],
        "timeline": [_moment(point) for point in detail.timeline],
    }
    if inside:
        order["tags"] = [tag.name for tag in detail.tags]
        order["parent_order_no"] = None if facts.parent_order_no is None else text(facts.parent_order_no)
    if sees_cost:
        order |= {"cost": money(facts.cost), "fee": money(facts.fee), "profit": money(detail.profit)}
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
