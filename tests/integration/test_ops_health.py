"""/healthz and /readyz."""

from __future__ import annotations

import pytest
from tests.support.wsgi import request

pytestmark = pytest.mark.integration


def test_alive_and_ready(database):
    assert request("/healthz").body == b"ok\n"
    answer = request("/readyz")
    assert (answer.status, answer.json()) == (200, {"ready": True})


def test_not_ready_while_a_migration_is_missing(database, monkeypatch):
    from chadan.ops import health

    monkeypatch.setattr(health, "_wanted", lambda: frozenset({("orders", "9999_later")}))
    answer = request("/readyz")
    assert answer.status == 503 and "migrate" in answer.json()["reason"]


def test_the_application_cannot_forge_migrations(database):
    from django.db import connection
    from django.db.utils import ProgrammingError

    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("delete from django_migrations")
