"""What the OpenAPI document says of batches."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from chadan.batches.actions import Action
from chadan.batches.models import State
from chadan.batches.report import WORD_STATES

Json = dict[str, Any]
_YUAN: Json = {"type": "string", "pattern": r"^-?\d+\.\d{2}$"}
_TEXT: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer", "minimum": 0}
_TIME: Json = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
_ROW_STATE: Json = {"type": "string", "enum": list(WORD_STATES)}
_NUMBER: Json = {"type": "string", "pattern": r"^\d{19}$"}


def _object(properties: Json, required: list[str] | None = None) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: Json = {
    "BatchRequest": _object(
        {
            "action": {"type": "string", "enum": [action.value for action in Action]},
            "tag": {"type": "string", "maxLength": 30},
            "note": {"type": "string", "maxLength": 2000},
            "visible_to_buyer": {"type": "boolean", "default": False},
            "reason": {"type": "string", "maxLength": 200},
            "orders": {"type": "array", "items": _NUMBER, "maxItems": 10_000},
            "query": {"type": "object"},
            "view": {"type": "string", "enum": ["sales", "agent"]},
        },
        ["action"],
    ),
    "BatchConfirmation": _object(
        {
            "orders": _WHOLE,
            "format": {"type": "string", "enum": ["csv", "xlsx", "parquet"], "default": "csv"},
            "columns": {"type": "array", "items": _TEXT},
        },
        ["orders"],
    ),
    "Batch": _object(
        {
            "id": {"type": "string", "format": "uuid"},
            "action": {"type": "string", "enum": [action.value for action in Action]},
            "state": {"type": "string", "enum": [state.value for state in State]},
            "total": _WHOLE,
            "orders": _WHOLE,
            "amount": _YUAN,
            "currency": _TEXT,
            "undoable": {"type": "boolean"},
            "left": {
                "type": "array",
                "items": _object({"state": _ROW_STATE, "reason": _TEXT, "orders": _WHOLE}),
            },
            **dict.fromkeys(("done", "skipped", "failed", "undone", "kept"), _WHOLE),
            "error": _TEXT,
            "export_id": {"anyOf": [_TEXT, {"type": "null"}]},
            **dict.fromkeys(("created_at", "confirmed_at", "finished_at"), _TIME),
        }
    ),
    "BatchOrders": _object(
        {
            "data": {
                "type": "array",
                "items": _object(
                    {"order_no": _NUMBER, "state": _ROW_STATE, "reason": _TEXT, "amount": _YUAN, "at": _TIME}
                ),
            },
            "next_cursor": {"anyOf": [_NUMBER, {"type": "null"}]},
            "has_more": {"type": "boolean"},
        }
    ),
}
_PROBLEMS: dict[int, Any] = {
    400: _("No usable Idempotency-Key, or a body that cannot be read"),
    401: _("No key, or one that is unknown, revoked or expired"),
    403: _("The key lacks the scope `orders:batch`, or your role may not do this"),
    404: _("No such batch or order, or another shop's"),
    409: _("The batch is in a state that does not allow this, or the same call is under way"),
    422: _("A query that cannot be understood, or an Idempotency-Key that came before with another body"),
    503: _("The database is not reachable"),
}


def _responses(schema: str, *problems: int, status: int = 200) -> dict[int, Json]:
    answers: dict[int, Json] = {
        status: {"description": "OK", "content": {"application/json": {"schema": _ref(schema)}}}
    }
    for each in (401, 403, 404, *problems, 503):
        content = {"application/problem+json": {"schema": _ref("Problem")}}
        answers[each] = {"description": _PROBLEMS[each], "content": content}
    return answers


_ONCE: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": _("A retry sends the same key and body, and is answered the same."),
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    "example": "9f1c2c6e",
}


def _body(schema: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": _ref(schema)}}}


PREPARE: Json = {
    "description": _(
        "Freezes the orders (`orders`, or all that `query` means) and answers how many it would act on, what they come to and"
        " why the others are left. Nothing happens before it is confirmed. `tag` and `untag` take `tag`, `note` takes `note`,"
        " `refund` takes `reason`. While `state` is `preparing` the orders are being looked up: read it again."
    ),
    "parameters": [_ONCE],
    "requestBody": _body("BatchRequest"),
    "responses": _responses("Batch", 400, 409, 422, status=201),
}
READ: Json = {
    "description": _("Where a batch stands, and why orders were left as they are."),
    "responses": _responses("Batch"),
}
ORDERS: Json = {
    "description": _("What became of each order, in number order, a hundred at a time."),
    "parameters": [
        {"name": "state", "in": "query", "required": False, "schema": _ROW_STATE, "example": "done"},
        {"name": "cursor", "in": "query", "required": False, "schema": _NUMBER, "example": "2511221234500112345"},
    ],
    "responses": _responses("BatchOrders", 400),
}
CONFIRM: Json = {
    "description": _(
        "Starts it. `orders` is how many it acts on, as the preparation answered. An export takes `format` and `columns`."
    ),
    "parameters": [_ONCE],
    "requestBody": _body("BatchConfirmation"),
    "responses": _responses("Batch", 400, 409, 422),
}
CANCEL: Json = {
    "description": _("Stops it; what it has done stays done."),
    "parameters": [_ONCE],
    "responses": _responses("Batch", 400, 409, 422),
}
UNDO: Json = {
    "description": _("Puts back what it changed, where nobody changed it since. Tags and notes only."),
    "parameters": [_ONCE],
    "responses": _responses("Batch", 400, 409, 422),
}
