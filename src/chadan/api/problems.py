"""RFC 9457 problem documents."""

from __future__ import annotations

import json
from http import HTTPStatus

from django.http import HttpResponse

from chadan.platform.errors import ChadanError


def problem(status: int, code: str, detail: str, *, hint: str = "", field: str = "") -> HttpResponse:
    """A problem+json answer: `code` is stable for programs, `detail` a sentence for people."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": f"{detail} {hint}".strip(),
    }
    if field:
        body["errors"] = [{"field": field, "detail": detail}]
    response = HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type="application/problem+json"
    )
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="chadan"'
    return response


def from_error(error: ChadanError) -> HttpResponse:
    """The problem for one of our own errors."""
    return problem(error.status, error.code, error.message, hint=error.hint, field=error.field)
