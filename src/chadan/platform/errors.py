"""Errors users meet: each has a stable code, an HTTP status, one clear sentence and, where there is one, the next step."""

from __future__ import annotations

from typing import ClassVar


class ChadanError(Exception):
    """Base of every error Chadan raises on purpose.

    `message` is a sentence for the user (already translated when it is shown on a page); `hint` says what to do next.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, message: str, *, hint: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(ChadanError):
    """A setting is unknown, malformed or unsafe."""

    code = "config"
    status = 500


class DatabaseUnavailable(ChadanError):
    """The database cannot be reached or started."""

    code = "database_unavailable"
    status = 503


class InvalidQuery(ChadanError):
    """A filter, a search text or a cursor that cannot be understood."""

    code = "invalid_query"
    status = 422


class NotFound(ChadanError):
    """No such thing for this actor: what does not exist and what is another's answer the same."""

    code = "not_found"
    status = 404


class Forbidden(ChadanError):
    """The actor's role lacks the permission."""

    code = "forbidden"
    status = 403


class Conflict(ChadanError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    status = 409


class InvalidInput(ChadanError):
    """A form, file or argument is wrong."""

    code = "invalid_input"
    status = 400


class StaleForm(Forbidden):
    """A form without the token of this visit."""

    code = "stale_form"


class WrongMethod(ChadanError):
    """An address that takes another HTTP method."""

    code = "method_not_allowed"
    status = 405


class TooLarge(ChadanError):
    """More than one request may carry."""

    code = "too_large"
    status = 413


class LongAddress(ChadanError):
    """An address longer than can be kept or sent on."""

    code = "address_too_long"
    status = 414


class TooMany(ChadanError):
    """Too many attempts in a short time."""

    code = "too_many"
    status = 429


class Defect(ChadanError):
    """A defect of Chadan's own."""

    code = "internal"
    status = 500
