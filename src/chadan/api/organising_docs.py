"""What the OpenAPI document says of saved views and tags."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from chadan.catalog.models import Tag

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_FLAG: Json = {"type": "boolean"}
_TEXT_OR_NULL: Json = {"anyOf": [_TEXT, {"type": "null"}]}
_QUERY: Json = {"type": "object", "description": "An OrderQuery: docs/reference/search.md"}
_COLOUR: Json = {"type": "string", "enum": list(Tag.COLOURS)}


def _object(properties: Json, required: list[str] | None = None) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


_VIEW: Json = {
    "name": _TEXT,
    "view": _TEXT_OR_NULL,
    "query": _QUERY,
    "date": _TEXT_OR_NULL,
    "q": _TEXT_OR_NULL,
    "columns": {"type": "array", "items": _TEXT},
    "shared": _FLAG,
    "pinned": _FLAG,
    "default": _FLAG,
}
_TAG: Json = {"id": {"type": "integer"}, "name": _TEXT, "colour": _COLOUR}
SCHEMAS: Json = {
    "SavedView": _object(
        {"id": {"type": "integer"}, **_VIEW, "may_change": _FLAG, "hidden": {"type": "array", "items": _TEXT}}
    ),
    "SavedViewInput": _object(_VIEW, []),
    "Tag": _object(_TAG),
    "CountedTag": _object({**_TAG, "orders": {"type": "integer"}, "orders_exact": _FLAG}),
    "TagInput": _object({"name": _TEXT, "colour": _COLOUR}, []),
}
_PROBLEMS = {
    400: _("A body that cannot be understood"),
    401: _("No key, or one that is unknown, revoked or expired"),
    403: _("The key, its address or its owner's role does not allow this"),
    404: _("Nothing such, or another's"),
    409: _("The name is taken"),
    422: _("A query that cannot be understood"),
}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _said(description: Any, schema: Json | None, *problems: int, status: int = 200, body: str = "") -> Json:
    answer: Json = (
        {"description": "OK", "content": {"application/json": {"schema": schema}}} if schema else {"description": "OK"}
    )
    answers: dict[int, Json] = {status: answer}
    for code in (401, 403, *problems):
        content = {"application/problem+json": {"schema": _ref("Problem")}}
        answers[code] = {"description": _PROBLEMS[code], "content": content}
    said: Json = {"description": description, "responses": answers}
    if body:
        said["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    return said


def _listed(name: str) -> Json:
    return _object({"data": {"type": "array", "items": _ref(name)}})


VIEWS = _said(
    _("The key owner's own views and those the shop shares. `saved=ID` opens one in /orders."), _listed("SavedView")
)
NEW_VIEW = _said(_("A new view. Sharing takes the right to manage the shop."), _ref("SavedView"), 400, 409, 422, status=201, body="SavedViewInput")  # fmt: skip
VIEW = _said(
    _("One view; `hidden` says what was left out because the key may not ask about it."), _ref("SavedView"), 404
)
CHANGE_VIEW = _said(_("Changes what the body names."), _ref("SavedView"), 400, 404, 409, 422, body="SavedViewInput")
DELETE_VIEW = _said(_("Removes a view."), None, 404, status=204)
TAGS = _said(_("The shop's tags with how many orders bear each, counted up to 1,001."), _listed("CountedTag"))
NEW_TAG = _said(_("A new tag."), _ref("Tag"), 400, 409, status=201, body="TagInput")
CHANGE_TAG = _said(_("Another name or colour; rules and views that ask about the tag follow."), _ref("Tag"), 400, 404, 409, body="TagInput")  # fmt: skip
