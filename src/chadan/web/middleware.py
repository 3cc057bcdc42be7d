"""Middleware of the pages: one log line a request, one clear page per error."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from http import HTTPStatus

import psycopg
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from chadan.platform.errors import ChadanError, DatabaseUnavailable
from chadan.web.error_pages import error_page, no_such_page, wrong_method

log = logging.getLogger("chadan.web")
Handler = Callable[[HttpRequest], HttpResponse]


def request_log(get_response: Handler) -> Handler:
    """Logs method, path (never the query: it may hold a phone number), status and milliseconds."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not log.isEnabledFor(logging.INFO):
            return get_response(request)
        start = time.perf_counter()
        response = get_response(request)
        log.info(
            "request",
            extra={
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "ms": round((time.perf_counter() - start) * 1000, 1),
            },
        )
        return response

    return middleware


class errors:  # noqa: N801 - named like the other middleware
    """Turns a ChadanError into a page with its sentence and the next step; a missing thing and another's look alike."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on; a bare "method not allowed" becomes a page."""
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.streaming and not response.content:
            return wrong_method(request, response.headers.get("Allow", ""))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The error's page, or None for a defect, which Django reports."""
        if isinstance(error, Http404):
            error = no_such_page()
        if isinstance(error, (OperationalError, psycopg.OperationalError)):
            log.error("database unavailable", exc_info=error)
            error = DatabaseUnavailable(_("The database is not reachable."), hint=_("Try again in a moment."))
        return error_page(request, error) if isinstance(error, ChadanError) else None
