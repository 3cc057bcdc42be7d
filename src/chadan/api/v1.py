"""`/api/v1`: routing and documentation by django-ninja; answers are encoded by msgspec, unvalidated, for speed."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import msgspec
import psycopg
from django.db import DatabaseError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthenticationError
from ninja.security.http import HttpAuthBase

from chadan.accounts.client_ip import client_ip
from chadan.api import batch_docs, openapi, orders_json, organising_docs, questions, supply_docs
from chadan.api.batches import router as batches
from chadan.api.keys import READ, KeyActor, Unauthorized, authenticate, run_here
from chadan.api.organising import router as organising
from chadan.api.problems import from_error, problem
from chadan.api.supply import router as supply
from chadan.orders.detail import get_detail
from chadan.platform.errors import ChadanError, InvalidQuery
from chadan.search import readings
from chadan.search.summaries import summarise

log = logging.getLogger("chadan.api")


class KeyAuth(HttpAuthBase):
    """Bearer keys."""

    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> KeyActor:
        """Whoever the request's key acts for. Raises Unauthorized or Forbidden."""
        return authenticate(request.META.get("HTTP_AUTHORIZATION", ""), client_ip(request.META), run_here)


api = NinjaAPI(
    title="Chadan API",
    version="1",
    description=openapi.DESCRIPTION,
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
    auth=KeyAuth(),
)

api.add_router("/supply", supply)
api.add_router("/batches", batches)
api.add_router("", organising)


@api.get("/orders", openapi_extra=openapi.LIST, operation_id="listOrders", summary="List orders", tags=["orders"])
def list_orders(request: HttpRequest) -> HttpResponse:
    """Orders that match, newest first unless `sort` says otherwise, a page at a time."""
    key = _key(request)
    question = questions.read(request.META["QUERY_STRING"], key.actor)
    if question.query.intent != "list":
        raise InvalidQuery(_("This endpoint lists orders; ask /api/v1/orders/summary to count or sum."), field="intent")
    query, page = readings.find(
        key.actor.scope, question.readings, view=question.view, cursor=question.cursor, limit=question.limit
    )
    if question.doubt and not page.rows and question.cursor is None:
        raise question.doubt
    orders = orders_json.listed(key, page.rows)
    body: dict[str, Any] = {"data": orders, "next_cursor": page.next_cursor, "has_more": page.has_more}
    if ignored := question.ignored(query):
        body["ignored"] = ignored
    return _answer(body)


@api.get(
    "/orders/summary",
    openapi_extra=openapi.SUMMARY,
    operation_id="summariseOrders",
    summary="Count, sum, average or rank orders",
    tags=["orders"],
)
def summary(request: HttpRequest) -> HttpResponse:
    """A number about the orders that match: `intent` count (the default), sum, avg or top, of a `metric`, by a group."""
    key = _key(request)
    question = questions.read(request.META["QUERY_STRING"], key.actor)
    asked = [query for query in question.readings if query.intent == question.query.intent]
    answers = ((query, summarise(key.actor.scope, query, question.view)) for query in asked)
    first = next(answers)
    query, answer = first if first[1].orders else next((one for one in answers if one[1].orders), first)
    if question.doubt and not answer.orders:
        raise question.doubt
    body = orders_json.summary_json(answer)
    if ignored := question.ignored(query):
        body["ignored"] = ignored
    return _answer(body)


@api.get(
    "/orders/{order_no}",
    openapi_extra=openapi.DETAIL,
    operation_id="getOrder",
    summary="Read one order",
    tags=["orders"],
)
def get_order(request: HttpRequest, order_no: str) -> HttpResponse:
    """Everything the key may see of one order. Another's order and one that does not exist answer the same."""
    key = _key(request)
    wanted = questions.order_number(order_no)
    return _answer(orders_json.detail_json(key, get_detail(key.actor, wanted)))


def _key(request: HttpRequest) -> KeyActor:
    key: KeyActor = request.auth  # type: ignore[attr-defined]  # ninja puts what KeyAuth returned there
    key.require(READ)
    return key


def _answer(body: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(orders_json.encode(body), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@cache
def document(language: str = "en") -> bytes:
    """The OpenAPI 3.1 document, as JSON, its descriptions in `language`."""
    described = dict(api.get_openapi_schema())
    described["components"] = {
        **described["components"],
        "schemas": openapi.SCHEMAS | supply_docs.SCHEMAS | batch_docs.SCHEMAS | organising_docs.SCHEMAS,
    }
    with translation.override(language):
        return msgspec.json.encode(described, enc_hook=str)  # str says a lazy text in the language of the moment


@require_safe
def openapi_json(_request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, for everybody."""
    return HttpResponse(document(), content_type="application/json")


@api.exception_handler(ChadanError)
def _ours(_request: HttpRequest, error: ChadanError) -> HttpResponse:
    return from_error(error)


@api.exception_handler(AuthenticationError)
def _nobody(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return from_error(Unauthorized(_("Send an API key: Authorization: Bearer cd_live_…")))


@api.exception_handler(Http404)
def _missing(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return problem(404, "not_found", _("There is no such address."))


@api.exception_handler(Exception)
def _failed(_request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(error, (OperationalError, psycopg.OperationalError)):
        log.error("database unavailable", exc_info=error)
        connection.close()  # raw statements pass Django's error bookkeeping by; the next request connects anew
        return problem(
            503, "database_unavailable", _("The database is not reachable."), hint=_("Try again in a moment.")
        )
    log.error("request failed", exc_info=error)
    if isinstance(error, (DatabaseError, psycopg.Error)):
        connection.close()
    return problem(500, "internal", _("Something went wrong here; it has been logged."))
