"""What the OpenAPI document says beyond the routes: parameters from OrderQuery's definition, answers, problems."""

from __future__ import annotations

from typing import Any

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
DESCRIPTION = """\
Orders as your role sees them. Send an API key: `Authorization: Bearer cd_live_…`; keys are made under *Account → API keys*.

Money is a decimal string beside its currency, an order number a string of 19 digits, a time RFC 3339 in +08:00.
Top-up accounts are masked unless the key has `orders:accounts`; cost, fee, profit and supplier need `orders:cost` and a role
that sees them, and are absent otherwise. Errors are `application/problem+json` (RFC 9457) with a stable `code`.
"""
_EXAMPLES = {
    "order_no": "2511221234500112347",
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


def _query(name: str, description: str, schema: Json, example: Any, **more: Any) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema, "example": example, **more}


def _words(name: str, words: type[Any], what: str, prefix: str = "") -> Json:
    values = [str(word) for word in words]
    schema = {"type": "array", "items": {"type": "string", "enum": values}}
    return _query(prefix + name, what, schema, values[:1], style="form", explode=False)


def _names(name: str, what: str, prefix: str = "") -> Json:
    schema = {"type": "array", "items": _string(maxLength=500)}
    return _query(prefix + name, what, schema, [_EXAMPLES[name]], style="form", explode=True)


def _ids(name: str, what: str, prefix: str = "") -> list[Json]:
    example = _EXAMPLES[name]
    partial = {"prefix": example[:6], "suffix": example[-4:], "contains": example[3:9]}
    return [
        _names(name, what, prefix),
        *(
            _query(f"{prefix}{name}.{part}", f"{what}: {part} of it.", _string(maxLength=500), text)
            for part, text in partial.items()
        ),
    ]


_ID_WORDS = {
    "order_no": "Our order number, or the number in the shop it came from",
    "external_no": "Any payment or supplier number",
    "account": "The top-up account",
}
_NAME_WORDS = {
    "product": "A brand, or part of the product's title or category",
    "variant": "The product's variant, exactly",
    "platform": "Where the order was placed, exactly",
    "buyer": "The buyer's name or login, exactly",
    "merchant": "The merchant's name, exactly",
    "agent": "The agent's name, exactly",
    "supplier": "The supplier's name, exactly (needs orders:cost)",
    "tag": "The merchant's tag",
}
_ENUM_WORDS = {"status": "Where the order stands", "category": "Kind of goods", "payment_method": "How it was paid"}
_MONEY = _string(pattern=r"^\d+(\.\d{1,2})?$")


def _members(prefix: str = "") -> list[Json]:
    """Parameters of fields that may stand plainly or be excluded."""
    lead = "Leave out: " if prefix else ""
    excludable = set(oq.EXCLUDABLE)
    made: list[Json] = []
    for name in oq.ID_FIELDS:
        if not prefix or name in excludable:
            made.extend(_ids(name, lead + _ID_WORDS[name], prefix))
    for name, words in oq.ENUM_FIELDS.items():
        made.append(_words(name, words, f"{lead}{_ENUM_WORDS[name]}; alternatives joined by commas", prefix))
    for name in oq.NAME_FIELDS:
        made.append(_names(name, f"{lead}{_NAME_WORDS[name]}; repeat it for alternatives", prefix))
    return made


FILTERS: list[Json] = [
    _query("q", "What the search box takes: numbers, words, `status:paid amount:>50`.", _string(), "status:paid"),
    _query(
        "view",
        "Of a merchant's orders: direct sales, sales through agents, or what it bought as an agent.",
        _string(enum=["sales", "agent", "purchases", "consumer"]),
        "sales",
    ),
    _query("time", "Which time `from`, `to` and `date` mean.", _string(enum=list(oq.TIME_FIELDS)), "placed"),
    _query("from", "From this day or moment on, Asia/Shanghai.", _string(), "2026-01-01"),
    _query("to", "Up to the end of this day, or up to, not including, this moment.", _string(), "2027-01-31T18:30:00"),
    _query("date", "A window that moves with the day, instead of from and to.", _string(enum=list(PRESETS)), "7d"),
    *_members(),
    _query("after_sale", "With (yes) or without (no) an after-sales case.", _string(enum=["yes", "no"]), "no"),
    _query("face_min", "Face value at least, yuan.", _MONEY, "50"),
    _query("face_max", "Face value at most, yuan.", _MONEY, "100.00"),
    _query("amount_min", "Amount at least, yuan.", _MONEY, "9.90"),
    _query("amount_max", "Amount at most, yuan.", _MONEY, "200"),
    _query("quantity_min", "Pieces at least.", {"type": "integer", "minimum": 0}, 1),
    _query("quantity_max", "Pieces at most.", {"type": "integer", "minimum": 0}, 10),
    _query("text", "Part of title, note, account or buyer.", _string(maxLength=500), "月卡"),
    *_members("exclude."),
]
_SORTS = [sign + name for name in ("placed_at", "paid_at", "amount") for sign in ("-", "")]
PAGING: list[Json] = [
    _query("sort", "What comes first; `-` for descending.", _string(enum=_SORTS), "-placed_at"),
    _query("limit", "Orders a page.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}, 50),
    _query("cursor", "`next_cursor` of the page before, with the same filter.", _string(), "…"),
]
AGGREGATE: list[Json] = [
    _query("intent", "What to work out.", _string(enum=["count", "sum", "avg", "top"], default="count"), "sum"),
    _query("metric", "Of what (profit needs orders:cost).", _string(enum=list(oq.METRICS), default="amount"), "amount"),
    _query("group_by", "One line for each of these.", _string(enum=list(oq.GROUPS)), "day"),
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
        {"data": _list(_ref("Order")), "next_cursor": _nullable(_string()), "has_more": {"type": "boolean"}}
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
        }
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
    401: "No key, or one that is unknown, revoked or expired",
    403: "The key, its address or its owner's role does not allow this",
    404: "No such order, or another's",
    422: "A parameter that cannot be understood, a mistyped number, a cursor of another query",
    429: "Too many requests",
    500: "A defect, logged",
    503: "The database is not reachable",
}


def _responses(schema: str, *problems: int) -> dict[int, Json]:
    answers: dict[int, Json] = {
        200: {"description": "OK", "content": {"application/json": {"schema": _ref(schema)}}},
    }
    for status in problems:
        content = {"application/problem+json": {"schema": _ref("Problem")}}
        answers[status] = {"description": _PROBLEMS[status], "content": content}
    return answers


LIST: Json = {"parameters": [*FILTERS, *PAGING], "responses": _responses("OrderPage", 401, 403, 422, 429, 500, 503)}
SUMMARY: Json = {"parameters": [*AGGREGATE, *FILTERS], "responses": _responses("Summary", 401, 403, 422, 429, 500, 503)}
DETAIL: Json = {"responses": _responses("OrderDetail", 401, 403, 404, 422, 429, 500, 503)}
