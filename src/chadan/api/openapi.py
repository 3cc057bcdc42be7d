"""What the OpenAPI document says beyond the routes: parameters from OrderQuery's definition, answers, problems.

Descriptions are lazy: the document says them in English, the documentation page in the visitor's language.
"""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from chadan.orders.states import (
    Category,
    DeliveryKind,
    DeliveryStatus,
    Escrow,
    OrderStatus,
    PaymentMethod,
    PaymentStatus,
)
from chadan.search import order_query as oq
from chadan.search.written import PRESETS

Json = dict[str, Any]
DESCRIPTION: Any = _("""\
Orders as your role sees them. Send an API key: `Authorization: Bearer cd_live_…`; keys are made under *Account → API keys*.

Money is a decimal string beside its currency, an order number a string of 19 digits, a time RFC 3339 in +08:00.
Top-up accounts are masked unless the key has `orders:accounts`; cost, fee, profit and supplier need `orders:cost` and a role
that sees them, and are absent otherwise. Errors are `application/problem+json` (RFC 9457) with a stable `code`.
""")
_EXAMPLES = {
    "order_no": "2511221234500112345",
    "external_no": "4200002345202511221234567890",
    "account": "13812345678",
    "product": "腾讯视频",
    "variant": "月卡",
    "platform": "shop",
    "buyer": "li_lei",
    "merchant": "demo",
    "agent": "demo-agent",
    "supplier": "upstream",
    "tag": "vip",
}


def _string(**more: Any) -> Json:
    return {"type": "string", **more}


def _query(name: str, description: Any, schema: Json, example: Any, **more: Any) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema, "example": example, **more}


def _words(name: str, words: type[Any], what: Any, prefix: str = "") -> Json:
    values = [str(word) for word in words]
    schema = {"type": "array", "items": {"type": "string", "enum": values}}
    return _query(prefix + name, what, schema, values[:1], style="form", explode=False)


def _names(name: str, what: Any, prefix: str = "") -> Json:
    schema = {"type": "array", "items": _string(maxLength=500)}
    return _query(prefix + name, what, schema, [_EXAMPLES[name]], style="form", explode=True)


def _ids(name: str, what: Any, prefix: str = "") -> list[Json]:
    example = _EXAMPLES[name]
    partial = {"prefix": example[:6], "suffix": example[-4:], "contains": example[3:9]}
    return [
        _names(name, what, prefix),
        *(
            _query(f"{prefix}{name}.{part}", format_lazy(_PARTS[part], what=what), _string(maxLength=500), text)
            for part, text in partial.items()
        ),
    ]


_PARTS = {
    "prefix": _("{what}: prefix of it."),
    "suffix": _("{what}: suffix of it."),
    "contains": _("{what}: contains of it."),
}
_ID_WORDS = {
    "order_no": _("Our order number, or the number in the shop it came from"),
    "external_no": _("Any payment or supplier number"),
    "account": _("The top-up account"),
}
_NAME_WORDS = {
    "product": _("A brand, or part of the product's title or category"),
    "variant": _("The product's variant, exactly"),
    "platform": _("Where the order was placed, exactly"),
    "buyer": _("The buyer's name or login, exactly"),
    "merchant": _("The merchant's name, exactly"),
    "agent": _("The agent's name, exactly"),
    "supplier": _("The supplier's name, exactly (needs orders:cost)"),
    "tag": _("The merchant's tag"),
}
_ENUM_WORDS = {
    "status": _("Where the order stands"),
    "category": _("Kind of goods"),
    "payment_method": _("How it was paid"),
}
_MONEY = _string(pattern=r"^\d+(\.\d{1,2})?$")


def _members(prefix: str = "") -> list[Json]:
    """Parameters of fields that may stand plainly or be excluded."""
    lead = _("Leave out: {what}") if prefix else "{what}"
    excludable = set(oq.EXCLUDABLE)
    made: list[Json] = []
    for name in oq.ID_FIELDS:
        if not prefix or name in excludable:
            made.extend(_ids(name, format_lazy(lead, what=_ID_WORDS[name]), prefix))
    for name, words in oq.ENUM_FIELDS.items():
        what = format_lazy(lead, what=_ENUM_WORDS[name])
        made.append(_words(name, words, format_lazy(_("{what}; alternatives joined by commas"), what=what), prefix))
    for name in oq.NAME_FIELDS:
        what = format_lazy(lead, what=_NAME_WORDS[name])
        made.append(_names(name, format_lazy(_("{what}; repeat it for alternatives"), what=what), prefix))
    return made


FILTERS: list[Json] = [
    _query("q", _("What the search box takes: numbers, words, `status:paid amount:>50`."), _string(), "status:paid"),
    _query(
        "view",
        _("Of a merchant's orders: direct sales, sales through agents, or what it bought as an agent."),
        _string(enum=["sales", "agent", "purchases", "consumer"]),
        "sales",
    ),
    _query("saved", _("A saved view's id: its filters and side, which the other parameters change."), _string(), "7"),
    _query("time", _("Which time `from`, `to` and `date` mean."), _string(enum=list(oq.TIME_FIELDS)), "placed"),
    _query("from", _("From this day or moment on, Asia/Shanghai."), _string(), "2026-01-01"),
    _query(
        "to", _("Up to the end of this day, or up to, not including, this moment."), _string(), "2027-01-31T18:30:00"
    ),
    _query("date", _("A window that moves with the day, instead of from and to."), _string(enum=list(PRESETS)), "7d"),
    *_members(),
    _query("after_sale", _("With (yes) or without (no) an after-sales case."), _string(enum=["yes", "no"]), "no"),
    _query("face_min", _("Face value at least, yuan."), _MONEY, "50"),
    _query("face_max", _("Face value at most, yuan."), _MONEY, "100.00"),
    _query("amount_min", _("Amount at least, yuan."), _MONEY, "9.90"),
    _query("amount_max", _("Amount at most, yuan."), _MONEY, "200"),
    _query("quantity_min", _("Pieces at least."), {"type": "integer", "minimum": 0}, 1),
    _query("quantity_max", _("Pieces at most."), {"type": "integer", "minimum": 0}, 10),
    _query("text", _("Part of title, note, account or buyer."), _string(maxLength=500), "月卡"),
    *_members("exclude."),
]
_SORTS = [sign + name for name in ("placed_at", "paid_at", "amount") for sign in ("-", "")]
PAGING: list[Json] = [
    _query("sort", _("What comes first; `-` for descending."), _string(enum=_SORTS), "-placed_at"),
    _query("limit", _("Orders a page."), {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}, 50),
    _query("cursor", _("`next_cursor` of the page before, with the same filter."), _string(), "…"),
]
AGGREGATE: list[Json] = [
    _query("intent", _("What to work out."), _string(enum=["count", "sum", "avg", "top"], default="count"), "sum"),
    _query(
        "metric", _("Of what (profit needs orders:cost)."), _string(enum=list(oq.METRICS), default="amount"), "amount"
    ),
    _query("group_by", _("One line for each of these."), _string(enum=list(oq.GROUPS)), "day"),
]


def _enum(words: type[Any]) -> Json:
    return _string(enum=[str(word) for word in words])


def _nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


_TIME = _string(format="date-time")
_YUAN = _string(pattern=r"^-?\d+\.\d{2}$")
_NUMBER = _string(pattern=r"^\d{19}$")
_COMMON: Json = {
    "order_no": _NUMBER,
    "placed_at": _TIME,
    "status": _enum(OrderStatus),
    "has_after_sale": {"type": "boolean"},
    "merchant": _string(),
    "agent": _nullable(_string()),
    "buyer": _string(),
    "product": _string(),
    "brand": _string(),
    "category": _enum(Category),
    "variant": _string(),
    "face_value": _nullable(_YUAN),
    "quantity": {"type": "integer"},
    "amount": _YUAN,
    "paid": _YUAN,
    "refunded": _YUAN,
    "currency": _string(),
    "payment_method": _nullable(_enum(PaymentMethod)),
    "platform": _string(),
    "escrow": _enum(Escrow),
    "account": _string(),
    "source_order_no": _nullable(_string()),
    "paid_at": _nullable(_TIME),
    "delivered_at": _nullable(_TIME),
    "completed_at": _nullable(_TIME),
    "refunded_at": _nullable(_TIME),
    "cancelled_at": _nullable(_TIME),
    "updated_at": _TIME,
}
# Absent for a key or a role that may not see them.
_HIDEABLE: Json = {
    "parent_order_no": _nullable(_NUMBER),
    "cost": _YUAN,
    "fee": _YUAN,
    "profit": _YUAN,
    "supplier": _nullable(_string()),
}


def _object(properties: Json, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


_PAYMENT = _object(
    {
        "method": _enum(PaymentMethod),
        "status": _enum(PaymentStatus),
        "amount": _YUAN,
        "currency": _string(),
        "out_no": _string(),
        "txn_no": _string(),
        "channel": _nullable(_string()),
        "payee": _nullable(_string()),
        "created_at": _TIME,
        "paid_at": _nullable(_TIME),
    }
)
_DELIVERY = _object(
    {
        "kind": _enum(DeliveryKind),
        "status": _enum(DeliveryStatus),
        "reason": _string(),
        "created_at": _TIME,
        "delivered_at": _nullable(_TIME),
    },
    {"supplier": _nullable(_string()), "supplier_no": _string()},
)
_NOTE = _object({"author": _string(), "internal": {"type": "boolean"}, "body": _string(), "at": _TIME})
_MOMENT = _object({"at": _TIME, "type": _string(), "actor": _string(), "actor_kind": _string()})


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


_CARD = _object({"line": {"type": "integer"}, "hint": _string()})
SCHEMAS: Json = {
    "Order": _object(_COMMON, _HIDEABLE),
    "OrderPage": _object(
        {"data": _list(_ref("Order")), "next_cursor": _nullable(_string()), "has_more": {"type": "boolean"}},
        {"ignored": _string()},
    ),
    "OrderDetail": _object(
        {
            **_COMMON,
            "escrow_until": _nullable(_TIME),
            "delivery_kind": _enum(DeliveryKind),
            "relation": _string(enum=["seller", "agent", "buyer", "operator"]),
            "payments": _list(_PAYMENT),
            "deliveries": _list(_DELIVERY),
            "cards": _list(_CARD),
            "notes": _list(_NOTE),
            "timeline": _list(_MOMENT),
        },
        {**_HIDEABLE, "tags": _list(_string())},
    ),
    "Summary": _object(
        {
            "intent": _string(enum=["count", "sum", "avg", "top"]),
            "metric": _string(enum=list(oq.METRICS)),
            "unit": _string(enum=["yuan", "orders", "pieces"]),
            "value": {"type": ["string", "integer", "null"]},
            "orders": {"type": "integer"},
            "paid_orders": {"type": "integer"},
            "group_by": _nullable(_string()),
            "groups": _list(
                _object(
                    {
                        "key": _string(),
                        "label": _string(),
                        "value": {"type": ["string", "integer", "null"]},
                        "orders": {"type": "integer"},
                    }
                )
            ),
            "truncated": {"type": "boolean"},
        },
        {"ignored": _string()},
    ),
    "Problem": {
        "type": "object",
        "properties": {
            "type": _string(),
            "title": _string(),
            "status": {"type": "integer"},
            "code": _string(description="Stable; for programs."),
            "detail": _string(description="A sentence for people."),
            "errors": _list(_object({"field": _string(), "detail": _string()})),
        },
        "required": ["type", "title", "status", "code", "detail"],
    },
}
_PROBLEMS = {
    401: _("No key, or one that is unknown, revoked or expired"),
    403: _("The key, its address or its owner's role does not allow this"),
    404: _("No such order, or another's"),
    422: _("A parameter that cannot be understood, a mistyped number, a cursor of another query"),
    429: _("Too many requests"),
    500: _("A defect, logged"),
    503: _("The database is not reachable"),
}


def _responses(schema: str, *problems: int) -> dict[int, Json]:
    answers: dict[int, Json] = {
        200: {"description": "OK", "content": {"application/json": {"schema": _ref(schema)}}},
    }
    for status in problems:
        content = {"application/problem+json": {"schema": _ref("Problem")}}
        answers[status] = {"description": _PROBLEMS[status], "content": content}
    return answers


LIST: Json = {
    "description": _("Orders that match, newest first unless `sort` says otherwise, a page at a time."),
    "parameters": [*FILTERS, *PAGING],
    "responses": _responses("OrderPage", 401, 403, 422, 429, 500, 503),
}
SUMMARY: Json = {
    "description": _(
        "A number about the orders that match: `intent` count (the default), sum, avg or top, of a `metric`, by a group."
    ),
    "parameters": [*AGGREGATE, *FILTERS],
    "responses": _responses("Summary", 401, 403, 422, 429, 500, 503),
}
DETAIL: Json = {
    "description": _(
        "Everything the key may see of one order. Another's order and one that does not exist answer the same."
    ),
    "responses": _responses("OrderDetail", 401, 403, 404, 422, 429, 500, 503),
}
