"""`/api/v1/batches`: one thing done to many orders of the key's shop: prepared, then confirmed by its count, then followed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router

from chadan.accounts.actors import Actor
from chadan.api import batch_docs, idempotency, questions
from chadan.api.keys import BATCH, KeyActor
from chadan.api.orders_json import moment
from chadan.batches import report, services
from chadan.batches.actions import KINDS, Action, action_named
from chadan.batches.models import Batch, State
from chadan.exports.kinds import yuan
from chadan.exports.services import request_export
from chadan.orders import number
from chadan.platform.errors import Forbidden, InvalidInput, NotFound
from chadan.search.order_query import OrderQuery

Json = dict[str, Any]
router = Router(tags=["batches"])
ROUTE = "POST /batches"
_MOST_BODY = 512 * 1024
_FIELDS = frozenset({"action", "tag", "note", "visible_to_buyer", "reason", "orders", "query", "view"})
_FORMATS = ("csv", "xlsx", "parquet")


@router.post(
    "",
    response={201: None},
    openapi_extra=batch_docs.PREPARE,
    operation_id="prepareBatch",
    summary="Prepare a batch",
)
def prepare(request: HttpRequest) -> HttpResponse:
    """Freezes the orders and answers what would happen to them; nothing happens before it is confirmed."""
    key = _key(request)
    said = _body(request, _FIELDS)
    action = action_named(str(said.get("action", "")))

    def work() -> tuple[int, str]:
        batch = services.prepare(key.actor, action, _wanted(said), _texts(said))
        return 201, _text(key.actor, batch)

    return _once(request, key, ROUTE, work)


@router.get("/{batch_id}", openapi_extra=batch_docs.READ, operation_id="getBatch", summary="Read a batch")
def read(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Where a batch stands, and why orders were left as they are."""
    key = _key(request)
    return _answer(_text(key.actor, services.get_batch(key.actor, _id(batch_id))))


@router.get(
    "/{batch_id}/orders",
    openapi_extra=batch_docs.ORDERS,
    operation_id="listBatchOrders",
    summary="List a batch's orders",
)
def orders(request: HttpRequest, batch_id: str) -> HttpResponse:
    """What became of each order, in number order; `state` narrows it, `cursor` is the number a page ended with."""
    key = _key(request)
    batch = services.get_batch(key.actor, _id(batch_id))
    wanted = request.GET.get("state", "")
    if wanted and wanted not in report.WORD_STATES:
        raise InvalidInput(_("There is no such state of an order in a batch."), field="state")
    cursor = request.GET.get("cursor", "")
    after = number.digits(cursor) if cursor else 0
    if after is None:
        raise InvalidInput(_("The cursor is the last order number of the page before."), field="cursor")
    found, more = report.page_of(key.actor, batch, report.WORD_STATES.get(wanted), after, questions.MAX_LIMIT)
    data = [
        {
            "order_no": one.number,
            "state": report.ROW_WORDS[one.state][0],
            "reason": one.reason,
            "amount": yuan(one.amount),
            "at": moment(one.at),
        }
        for one in found
    ]
    return _answer(_dump({"data": data, "next_cursor": found[-1].number if more else None, "has_more": more}))


@router.post(
    "/{batch_id}/confirm", openapi_extra=batch_docs.CONFIRM, operation_id="confirmBatch", summary="Confirm a batch"
)
def confirm(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Starts it. `orders` is how many it acts on, as the preparation answered: a number read before it is acted upon."""
    key = _key(request)
    said = _body(request, frozenset({"orders", "format", "columns"}))
    wanted = _id(batch_id)

    def work() -> tuple[int, str]:
        batch = services.get_batch(key.actor, wanted)
        if type(said.get("orders")) is not int or said["orders"] != batch.able:
            raise InvalidInput(_("Send the number of orders the batch acts on as `orders`."), field="orders")
        if batch.action == Action.EXPORT:
            _export(key.actor, batch, said)
            batch.refresh_from_db()
        else:
            batch = services.confirm(key.actor, wanted, str(batch.able))
        return 200, _text(key.actor, batch)

    return _once(request, key, f"{ROUTE}/confirm {wanted}", work)


@router.post(
    "/{batch_id}/cancel", openapi_extra=batch_docs.CANCEL, operation_id="cancelBatch", summary="Cancel a batch"
)
def cancel(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Stops it; what it has done stays done."""
    return _then(request, batch_id, "cancel", services.cancel)


@router.post("/{batch_id}/undo", openapi_extra=batch_docs.UNDO, operation_id="undoBatch", summary="Undo a batch")
def undo(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Puts back what it changed, where nobody changed it since."""
    return _then(request, batch_id, "undo", services.undo)


def _then(request: HttpRequest, batch_id: str, what: str, work: Callable[[Actor, UUID], Batch]) -> HttpResponse:
    key = _key(request)
    wanted = _id(batch_id)
    return _once(request, key, f"{ROUTE}/{what} {wanted}", lambda: (200, _text(key.actor, work(key.actor, wanted))))


def _export(actor: Actor, batch: Batch, said: Json) -> None:
    columns = said.get("columns", [])
    if said.get("format", "csv") not in _FORMATS:
        raise InvalidInput(_("An export is xlsx, csv or parquet."), field="format")
    if not isinstance(columns, list) or not all(isinstance(one, str) for one in columns):
        raise InvalidInput(_("Columns are a list of names."), field="columns")
    request_export(actor, OrderQuery(), format=said.get("format", "csv"), columns=columns, frozen=batch.pk)


def _key(request: HttpRequest) -> KeyActor:
    key: KeyActor = request.auth  # type: ignore[attr-defined]  # ninja puts what KeyAuth returned there
    key.require(BATCH)
    if key.actor.merchant_id is None:
        raise Forbidden(_("Batch actions belong to a shop."))
    return key


def _once(request: HttpRequest, key: KeyActor, route: str, work: Callable[[], tuple[int, str]]) -> HttpResponse:
    given = request.headers.get("Idempotency-Key", "")
    return idempotency.once(key.actor.merchant_id or 0, route, given, request.body, work)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(_("There is no such batch.")) from error


def _body(request: HttpRequest, fields: frozenset[str]) -> Json:
    if len(request.body) > _MOST_BODY:
        raise InvalidInput(_("That is too long."))
    try:
        said = json.loads(request.body or b"{}")
    except ValueError as error:
        raise InvalidInput(_("Send a JSON object.")) from error
    if not isinstance(said, dict):
        raise InvalidInput(_("Send a JSON object."))
    if unknown := said.keys() - fields:
        raise InvalidInput(_("There is no such field."), field=str(min(unknown))[:60])
    return said


def _wanted(said: Json) -> services.Wanted:
    """Exactly one of `orders` and `query`: nothing at all never means all orders."""
    if ("orders" in said) == ("query" in said):
        raise InvalidInput(_("Send either `orders` or `query`."), field="query")
    if "query" in said:
        if not isinstance(said["query"], dict):
            raise InvalidInput(_("The query is an object; an empty one means all orders."), field="query")
        return services.Wanted(OrderQuery.from_dict(said["query"]), str(said.get("view") or ""))
    listed = said["orders"]
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise InvalidInput(_("Orders are a list of order numbers, as texts."), field="orders")
    return services.Wanted(numbers=tuple(questions.order_number(one) for one in listed))


def _texts(said: Json) -> dict[str, str]:
    texts = {name: said.get(name, "") for name in ("tag", "note", "reason")}
    if wrong := [name for name, value in texts.items() if not isinstance(value, str)]:
        raise InvalidInput(_("This is a text."), field=wrong[0])
    return {**texts, "visible": "buyer" if said.get("visible_to_buyer") is True else ""}


def _text(actor: Actor, batch: Batch) -> str:
    left = report.left(actor, batch) if batch.state != State.PREPARING else []
    return _dump(
        {
            "id": str(batch.pk),
            "action": batch.action,
            "state": batch.state,
            "total": batch.total,
            "orders": batch.able,
            "amount": yuan(batch.able_amount),
            "currency": "CNY",
            "undoable": KINDS[Action(batch.action)].undoable,
            "left": [
                {"state": report.ROW_WORDS[one.state][0], "reason": one.reason, "orders": one.count} for one in left
            ],
            **{name: getattr(batch, name) for name in ("done", "skipped", "failed", "undone", "kept")},
            "error": batch.error,
            "export_id": batch.params.get("export"),
            "created_at": moment(batch.created_at),
            "confirmed_at": moment(batch.confirmed_at),
            "finished_at": moment(batch.finished_at),
        }
    )


def _dump(body: Json) -> str:
    return json.dumps(body, ensure_ascii=False)


def _answer(body: str) -> HttpResponse:
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
