"""The API's errors, as RFC 9457 problems."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]


def problems(get_response: Handler) -> Handler:
    """Gives Django's own bare 404 and 405 answers under /api/ the problem shape too."""
    from chadan.api.problems import problem

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code >= 400 and response.get("Content-Type") != "application/problem+json":
            return problem(response.status_code, "http_error", response.reason_phrase)
        return response

    return middleware
