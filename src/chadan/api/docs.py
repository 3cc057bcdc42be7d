"""The API's documentation: the OpenAPI document as a page, without scripts."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from markupsafe import Markup

from chadan.api.keys import SCOPES
from chadan.api.v1 import document


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Endpoints, parameters, answers, errors."""
    described = _described(get_language() or settings.LANGUAGE_CODE)
    context = {
        "title": _("API"),
        "about": described["info"]["description"].strip().split("\n\n"),
        "operations": [
            {"method": method.upper(), "path": path, **operation}
            for path, methods in described["paths"].items()
            for method, operation in methods.items()
        ],
        "schemas": described["components"]["schemas"],
        "scopes": SCOPES,
        "marked": marked,
        "host": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "api/docs.html", context)


def marked(text: str) -> Markup:
    """`text` with what stands between backticks as code."""
    parts = text.replace("*", "").split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


@cache
def _described(language: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(document(language))
    return described
