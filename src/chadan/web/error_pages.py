"""The page of every error: its own heading, one sentence, the next step, and the navigation of whoever is signed in."""

from __future__ import annotations

import logging
from http import HTTPStatus

from django.core.exceptions import DisallowedRedirect, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chadan.platform.errors import (
    ChadanError,
    Defect,
    Forbidden,
    InvalidInput,
    LongAddress,
    NotFound,
    StaleForm,
    TooLarge,
    TooMany,
    WrongMethod,
)

log = logging.getLogger("chadan.web")
_TITLES: dict[str, Promise] = {
    "not_found": gettext_lazy("Page not found"),
    "forbidden": gettext_lazy("Not allowed"),
    "stale_form": gettext_lazy("Form expired"),
    "address_too_long": gettext_lazy("Too much at once"),
    "too_large": gettext_lazy("Too much at once"),
    "too_many": gettext_lazy("Too many attempts"),
    "method_not_allowed": gettext_lazy("This address is no page"),
    "database_unavailable": gettext_lazy("Out of service for a moment"),
}
# What may have broken is not asked for again: who is signed in, what a message says.
_BROKEN = frozenset({"database_unavailable", "internal"})
_API = "/api/v1/"


def error_page(request: HttpRequest, error: ChadanError) -> HttpResponse:
    """The page for `error`, with its HTTP status."""
    if error.code in _BROKEN:
        request.actor = None  # type: ignore[attr-defined]  # accounts.middleware
    context = {"error": error, "title": _TITLES.get(error.code, _("Something is not right"))}
    return render(request, "error.html", context, status=error.status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form whose token is missing or stale."""
    log.warning("csrf", extra={"reason": reason})
    return error_page(
        request,
        StaleForm(_("This form is too old to be accepted."), hint=_("Go back, reload the page and send it again.")),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: a body too large, too many fields, a wrong Host, a malformed address, one too long to come back to."""
    if isinstance(exception, DisallowedRedirect):
        return _said(request, LongAddress(_("This address is too long."), hint=_("Shorten the text or the filters.")))
    if isinstance(exception, RequestDataTooBig):
        return _said(
            request, TooLarge(_("This is more than the form may send."), hint=_("Shorten it, or use an import."))
        )
    return _said(
        request,
        InvalidInput(
            _("This request cannot be understood."), hint=_("Check the address, or start from the first page.")
        ),
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """handler403."""
    return _said(request, Forbidden(_("You may not do this.")))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """handler404."""
    return _said(request, no_such_page())


def too_many(request: HttpRequest) -> HttpResponse:
    """handler429, which allauth calls when logins or mails come too fast."""
    return _said(request, TooMany(_("There were too many attempts."), hint=_("Wait a few minutes and try again.")))


def defect(request: HttpRequest) -> HttpResponse:
    """handler500: a defect, which the log describes."""
    return _said(
        request,
        Defect(_("Chadan made a mistake."), hint=_("Try again; if it happens again, tell whoever runs this site.")),
    )


def wrong_method(request: HttpRequest, allowed: str) -> HttpResponse:
    """The page for an address that takes only the methods in `allowed`."""
    response = error_page(
        request,
        WrongMethod(_("This address only takes what a form sends."), hint=_("Go back and use the form.")),
    )
    response.headers["Allow"] = allowed
    return response


def no_such_page() -> NotFound:
    """The error of an address nothing answers to: the same sentence as for what another may see."""
    return NotFound(_("There is no such page or order."))


def _said(request: HttpRequest, error: ChadanError) -> HttpResponse:
    """The page; under /api/ an empty answer, which api.middleware makes a problem."""
    if request.path_info.startswith(_API):
        return HttpResponse(status=error.status, reason=HTTPStatus(error.status).phrase)
    return error_page(request, error)
