"""How a visitor likes the pages: theme, language and row height, kept in cookies so that guests have them too."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from chadan.web.posting import form_of, page_behind

THEME = "chadan_theme"
DENSITY = "chadan_density"
THEMES = ("auto", "light", "dark")
DENSITIES = ("normal", "compact")
_YEAR = 365 * 86_400


def theme(request: HttpRequest) -> str:
    """The visitor's theme: auto (the system's), light or dark."""
    chosen = request.COOKIES.get(THEME, "")
    return chosen if chosen in THEMES else THEMES[0]


def density(request: HttpRequest) -> str:
    """The visitor's row height: normal or compact."""
    chosen = request.COOKIES.get(DENSITY, "")
    return chosen if chosen in DENSITIES else DENSITIES[0]


@form_of(lambda: "/")
def preferences(request: HttpRequest) -> HttpResponse:
    """Keeps `theme`, `density` and `language` where the form names valid ones, and goes back to `next`.

    A request from a script (`X-Requested-With: fetch`) is answered with 204.
    """
    response: HttpResponse
    if request.headers.get("X-Requested-With") == "fetch":
        response = HttpResponse(status=204)
    else:
        response = HttpResponseRedirect(_back(request))
    for name, values, cookie in (
        ("theme", THEMES, THEME),
        ("density", DENSITIES, DENSITY),
        ("language", tuple(code for code, _ in settings.LANGUAGES), settings.LANGUAGE_COOKIE_NAME),
    ):
        value = request.POST.get(name)
        if value in values:
            response.set_cookie(cookie, value, max_age=_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    return response


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return page_behind(wanted)
    return "/"
