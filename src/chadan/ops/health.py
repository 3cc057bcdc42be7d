"""Is the process alive, and can it serve."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse


def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when the database answers and its schema is this version's, else 503 with the reason."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass('orders') is not null")
            ready = bool(cursor.fetchone()[0])  # type: ignore[index]  # a select without from has one row
    except DatabaseError:
        return JsonResponse({"ready": False, "reason": "database unavailable"}, status=503)
    if not ready:
        return JsonResponse({"ready": False, "reason": "not migrated: run ./chadan migrate"}, status=503)
    return JsonResponse({"ready": True})
