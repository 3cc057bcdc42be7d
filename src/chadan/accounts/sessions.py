"""Sessions in the database, read by one plain statement: every page of a signed-in person begins with it."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection

_READ = "select session_data from django_session where session_key = %s and expire_date > now()"


class SessionStore(db.SessionStore):
    """Django's own store but for the reading."""

    def load(self) -> dict[str, Any]:
        """The session's data; {} and a new key later when there is none or it has expired."""
        with connection.cursor() as cursor:
            cursor.execute(_READ, (self.session_key,))
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row[0])
