"""The API's errors, as RFC 9457 problems in the caller's language."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

Handler = Callable[[HttpRequest], HttpResponse]
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 500: "internal"}


def problems(get_response: Handler) -> Handler:
    """Gives Django's own bare answers under /api/ the problem shape too, and sets the language of every sentence."""
    from chadan.api.problems import problem

    def middleware(request: HttpRequest) -> HttpResponse:
        # The thread still has the language of the page it served before.
        translation.activate(_language(request.META.get("HTTP_ACCEPT_LANGUAGE", "")))
        response = get_response(request)
        if response.status_code >= 400 and response.headers.get("Content-Type") != "application/problem+json":
            code = _CODES.get(response.status_code, "http_error")
            shaped = problem(response.status_code, code, response.reason_phrase)
            if "Allow" in response.headers:
                shaped.headers["Allow"] = response.headers["Allow"]
            return shaped
        return response

    return middleware


def _language(accepted: str) -> str:
    return {"en": "en", "zh": "zh-hans"}.get(accepted[:2].lower(), settings.LANGUAGE_CODE)
