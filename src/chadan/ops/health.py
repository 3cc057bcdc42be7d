"""Is the process alive, and can it serve."""

from __future__ import annotations

from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when the database answers and its schema is this version's, else 503 with the reason."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass('django_migrations') is not null")
            (made,) = cursor.fetchone()
            missing = len(_wanted())
            if made:
                cursor.execute("select app, name from django_migrations")
                missing = len(_wanted() - set(cursor.fetchall()))
    except DatabaseError:
        return JsonResponse({"ready": False, "reason": "database unavailable"}, status=503)
    if missing:
        reason = f"{missing} migrations are missing: run ./chadan migrate"
        return JsonResponse({"ready": False, "reason": reason}, status=503)
    return JsonResponse({"ready": True})


@cache
def _wanted() -> frozenset[tuple[str, str]]:
    """The migrations this version brings."""
    loader = MigrationLoader(None)
    return frozenset(loader.disk_migrations or {})
