"""The WSGI application granian serves.

Requests to `/api/` take a second handler with the API's short middleware: cookies, CSRF, languages and page headers
cost more than the query they would wrap.
"""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.urls import ResolverMatch  # noqa: E402

StartResponse = Callable[..., Callable[[bytes], object]]


API_DOCS = "/api/docs"
"""The one address under /api/ that is a page."""


class ApiHandler(WSGIHandler):
    """Django's handler with API_MIDDLEWARE."""

    def __init__(self) -> None:
        self._resolved: dict[str, ResolverMatch] = {}
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """Builds the short chain."""
        pages = settings.MIDDLEWARE
        settings.MIDDLEWARE = settings.API_MIDDLEWARE
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = pages

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """The view for an address. One without arguments is looked up once; there are as many as such routes."""
        match = self._resolved.get(request.path_info)
        if match is None:
            match = super().resolve_request(request)
            if not match.args and not match.kwargs:
                self._resolved[request.path_info] = match
        request.resolver_match = match
        return match


_pages = WSGIHandler()
_api = ApiHandler()

# What is loaded by now stays: the collector need not walk it again and again while requests make short-lived rows
# (a fifth of a list's CPU otherwise).
gc.collect()
gc.freeze()
atexit.register(gc.unfreeze)
gc.set_threshold(20_000, 20, 50)


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Routes a request to the pages' or the API's handler."""
    path = environ.get("PATH_INFO", "")
    handler = _api if path.startswith("/api/") and path != API_DOCS else _pages
    return handler(environ, start_response)
