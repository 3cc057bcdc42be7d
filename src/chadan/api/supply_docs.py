"""What the OpenAPI document says of the supply API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from chadan.orders.states import Category, DeliveryKind, OrderStatus

Json = dict[str, Any]
_YUAN: Json = {"type": "string", "pattern": r"^-?\d+\.\d{2}$"}
_TEXT: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer"}


def category(code: int) -> str:
    """The word of a category's code."""
    return Category.of(code).value


def delivery_kind(code: int) -> str:
    """The word of a delivery kind's code."""
    return DeliveryKind.of(code).value


def _nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(properties: Json, required: list[str] | None = None) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _list(schema: Json) -> Json:
    return {"type": "array", "items": schema}


_FIELD = _object({"name": _TEXT, "kind": _TEXT, "label": _TEXT, "required": {"type": "boolean"}})
SCHEMAS: Json = {
    "SupplyProduct": _object(
        {
            "product_id": _TEXT,
            "merchant": _TEXT,
            "title": _TEXT,
            "category": {"type": "string", "enum": [word.value for word in Category]},
            "delivery_kind": {"type": "string", "enum": [word.value for word in DeliveryKind]},
            "face_value": _nullable(_YUAN),
            "price": _YUAN,
            "currency": _TEXT,
            "stock": _nullable(_WHOLE),
            "min_quantity": _WHOLE,
            "max_quantity": _WHOLE,
            "fields": _list(_FIELD),
        }
    ),
    "SupplyProducts": _object({"data": _list({"$ref": "#/components/schemas/SupplyProduct"})}),
    "SupplyBalances": _object(
        {"data": _list(_object({"merchant": _TEXT, "merchant_name": _TEXT, "balance": _YUAN, "currency": _TEXT}))}
    ),
    "SupplyOrderRequest": _object(
        {
            "product_id": _TEXT,
            "quantity": {"type": "integer", "minimum": 1, "default": 1},
            "account": {"type": "string", "maxLength": 100},
            "fields": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 200}},
            "your_order_no": {"type": "string", "minLength": 1, "maxLength": 64},
            "callback_url": {"type": "string", "maxLength": 500},
        },
        ["product_id", "your_order_no"],
    ),
    "SupplyOrder": _object(
        {
            "order_no": {"type": "string", "pattern": r"^\d{19}$"},
            "your_order_no": _TEXT,
            "product_id": _TEXT,
            "quantity": _WHOLE,
            "status": {"type": "string", "enum": [word.value for word in OrderStatus]},
            "amount": _YUAN,
            "paid": _YUAN,
            "refunded": _YUAN,
            "currency": _TEXT,
            "cards": _list(_TEXT),
            "reason": _TEXT,
        }
    ),
    "SupplyOrders": _object({"data": _list({"$ref": "#/components/schemas/SupplyOrder"})}),
}
_PROBLEMS: dict[int, Any] = {
    400: _("No usable Idempotency-Key, or a body that cannot be read"),
    401: _("No key, or one that is unknown, revoked or expired"),
    402: _("Your wallet at the shop does not hold enough"),
    403: _("The key lacks the scope `supply`"),
    404: _("No such order or product, or it is not open to you"),
    409: _("The first call with this Idempotency-Key is under way"),
    422: _("The order is wrong in itself, or the Idempotency-Key came before with another body"),
    503: _("The database is not reachable"),
}


def _responses(schema: str, *problems: int, status: int = 200) -> dict[int, Json]:
    done = {"$ref": f"#/components/schemas/{schema}"}
    answers: dict[int, Json] = {status: {"description": "OK", "content": {"application/json": {"schema": done}}}}
    for each in (401, 403, *problems, 503):
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        answers[each] = {"description": _PROBLEMS[each], "content": content}
    return answers


def _query(name: str, description: Any, example: str, *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


_MERCHANT = _query("merchant", _("Only this shop, by its short name."), "demo")
PRODUCTS: Json = {
    "description": _("Products open to you, at your level's prices. `stock` is null where nothing is counted."),
    "parameters": [_MERCHANT],
    "responses": _responses("SupplyProducts"),
}
BALANCE: Json = {
    "description": _("What you hold with each shop above you."),
    "parameters": [_MERCHANT],
    "responses": _responses("SupplyBalances"),
}
ORDER: Json = {
    "description": _(
        "Places an order and pays it from your wallet, once for each Idempotency-Key and for each `your_order_no`."
        " Its end is told to `callback_url`, signed as Standard Webhooks."
    ),
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": _("A retry sends the same key and body, and is answered the same."),
            "schema": {"type": "string", "minLength": 1, "maxLength": 128},
            "example": "9f1c2c6e",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SupplyOrderRequest"}}},
    },
    "responses": _responses("SupplyOrder", 400, 402, 404, 409, 422, status=201),
}
FIND: Json = {
    "description": _("Your orders of `your_order_no`: none, or one a shop. Ask this before you send an order again."),
    "parameters": [_query("your_order_no", _("The number you gave the order."), "A-1001", required=True), _MERCHANT],
    "responses": _responses("SupplyOrders", 400),
}
READ: Json = {
    "description": _("An order you placed here: where it stands and, once delivered, its cards."),
    "responses": _responses("SupplyOrder", 404, 422),
}
