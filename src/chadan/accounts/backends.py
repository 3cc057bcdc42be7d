"""Who signs in, and whose session a request is."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend
from django.db import connection

from chadan.accounts.models import User

_FIELDS = tuple(field.attname for field in User._meta.concrete_fields)  # noqa: SLF001 - Django's documented API
_READ = f"select {', '.join(_FIELDS)} from users where id = %s"


class AuthenticationBackend(AllauthBackend):  # type: ignore[misc]  # allauth ships no types
    """allauth's, which reads the person behind a session by one plain statement."""

    def get_user(self, user_id: Any) -> User | None:
        """The active user, or None."""
        with connection.cursor() as cursor:
            cursor.execute(_READ, (user_id,))
            row = cursor.fetchone()
        user = None if row is None else User.from_db("default", _FIELDS, row)
        return user if user is not None and self.user_can_authenticate(user) else None
