"""`/api/v1/views` and `/api/v1/tags`: saved views and a shop's tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router

from chadan.accounts.actors import Actor
from chadan.api import idempotency, organising_docs
from chadan.api.keys import ORGANISE, READ, KeyActor
from chadan.platform.errors import InvalidInput
from chadan.saved_views import json as view_texts
from chadan.saved_views import services
from chadan.tagging import tags

router = Router(tags=["views and tags"])
_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "colour": (str,),
    "query": (dict,),
    "view": (str, type(None)),
    "date": (str, type(None)),
    "q": (str, type(None)),
    "columns": (list,),
    "shared": (bool,),
    "pinned": (bool,),
    "default": (bool,),
}


@router.get("/views", openapi_extra=organising_docs.VIEWS, operation_id="listViews", summary="List saved views")
def list_views(request: HttpRequest) -> HttpResponse:
    """The key owner's own views and those the shop shares."""
    actor = _actor(request, READ)
    held = services.held(actor)
    return _answer({"data": [view_texts.view_json(actor, view, held) for view in held.views]})


@router.post(
    "/views",
    response={201: None},
    openapi_extra=organising_docs.NEW_VIEW,
    operation_id="createView",
    summary="Save a view",
)
def create_view(request: HttpRequest) -> HttpResponse:
    """A new view."""
    actor = _actor(request, ORGANISE)
    body = _body(request, view_texts.FIELDS)

    def work() -> tuple[int, str]:
        flags = {name: body.get(name, False) for name in ("shared", "pinned", "default")}
        view = services.save(actor, body.get("name", ""), view_texts.shown_in(body), **flags)
        return 201, _text(view_texts.view_json(actor, view, services.held(actor)))

    return _once(request, actor, "views", work)


@router.get("/views/{int:view_id}", openapi_extra=organising_docs.VIEW, operation_id="getView", summary="Read a view")
def get_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """One view, as far as the key may know it."""
    actor = _actor(request, READ)
    return _answer(view_texts.view_json(actor, services.view_of(actor, view_id), services.held(actor)))


@router.patch(
    "/views/{int:view_id}",
    openapi_extra=organising_docs.CHANGE_VIEW,
    operation_id="changeView",
    summary="Change a view",
)
def change_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Changes what the body names."""
    actor = _actor(request, ORGANISE)
    view = services.view_of(actor, view_id)
    body = _body(request, view_texts.FIELDS)
    changes: dict[str, Any] = {name: body[name] for name in ("name", "shared", "pinned") if name in body}
    if {"query", "view", "date", "q", "columns"} & body.keys():
        changes["shown"] = view_texts.shown_in(body, view_texts.stored(view))
    if changes:
        view = services.update(actor, view, **changes)
    if "default" in body:
        services.set_default(actor, view, on=body["default"])
    return _answer(view_texts.view_json(actor, view, services.held(actor)))


@router.delete(
    "/views/{int:view_id}",
    response={204: None},
    openapi_extra=organising_docs.DELETE_VIEW,
    operation_id="deleteView",
    summary="Delete a view",
)
def delete_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Removes a view."""
    actor = _actor(request, ORGANISE)
    services.delete(actor, services.view_of(actor, view_id))
    return HttpResponse(status=204)


@router.get("/tags", openapi_extra=organising_docs.TAGS, operation_id="listTags", summary="List tags")
def list_tags(request: HttpRequest) -> HttpResponse:
    """The shop's tags with how many orders bear each, counted up to 1,001; none for a key that acts for no shop."""
    actor = _actor(request, READ)
    return _answer({"data": [_tag(one) for one in tags.counted(actor)]})


@router.post(
    "/tags", response={201: None}, openapi_extra=organising_docs.NEW_TAG, operation_id="createTag", summary="Make a tag"
)
def create_tag(request: HttpRequest) -> HttpResponse:
    """A new tag."""
    actor = _actor(request, ORGANISE)
    body = _body(request, ("name", "colour"))

    def work() -> tuple[int, str]:
        tag = tags.create(actor, body.get("name", ""), body.get("colour", "grey"))
        return 201, _text({"id": tag.pk, "name": tag.name, "colour": tag.colour})

    return _once(request, actor, "tags", work)


@router.patch(
    "/tags/{int:tag_id}", openapi_extra=organising_docs.CHANGE_TAG, operation_id="changeTag", summary="Change a tag"
)
def change_tag(request: HttpRequest, tag_id: int) -> HttpResponse:
    """Another name or colour; rules and views that ask about the tag follow."""
    actor = _actor(request, ORGANISE)
    tag = tags.tag_of(actor, tag_id)
    body = _body(request, ("name", "colour"))
    tag = tags.change(actor, tag, name=body.get("name"), colour=body.get("colour"))
    return _answer({"id": tag.pk, "name": tag.name, "colour": tag.colour})


def _tag(one: tags.Counted) -> dict[str, Any]:
    return {
        "id": one.tag.pk,
        "name": one.tag.name,
        "colour": one.tag.colour,
        "orders": one.count.total,
        "orders_exact": one.count.exact,
    }


def _actor(request: HttpRequest, scope: str) -> Actor:
    key: KeyActor = request.auth  # type: ignore[attr-defined]  # ninja puts what KeyAuth returned there
    key.require(scope)
    return key.actor


def _body(request: HttpRequest, known: tuple[str, ...]) -> dict[str, Any]:
    """The body's object. Raises InvalidInput naming the field that is unknown or of another type."""
    try:
        body = msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise InvalidInput(_("The body is not JSON.")) from error
    if not isinstance(body, dict):
        raise InvalidInput(_("The body must be a JSON object."))
    for name, value in body.items():
        right = name in known and isinstance(value, _TYPES[name])
        if not right or (name == "columns" and not all(isinstance(one, str) for one in value)):
            raise InvalidInput(
                _("Unknown field, or one of the wrong type: %(name)s.") % {"name": name[:60]}, field=name[:60]
            )
    return body


def _once(request: HttpRequest, actor: Actor, route: str, work: Callable[[], tuple[int, str]]) -> HttpResponse:
    """Does the work, once for each Idempotency-Key where a shop's key sends one; names are unique besides."""
    sent = request.headers.get("Idempotency-Key", "")
    if sent and actor.merchant_id is not None:
        return idempotency.once(actor.merchant_id, route, sent, request.body, work)
    status, text = work()
    response = HttpResponse(text, status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def _text(body: Mapping[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


def _answer(body: Mapping[str, Any]) -> HttpResponse:
    response = HttpResponse(_text(body), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
