"""Forms whose page stays where it is: done, they say what was done; refused, why not; and lead back."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chadan.platform.errors import ChadanError, Forbidden, NotFound


def done(request: HttpRequest, act: Callable[[], str], back: str) -> HttpResponse:
    """Does `act`, whose sentence is shown on the page named `back`; so is that of an error.

    Raises Forbidden and NotFound: whoever may not see the page is not led there.
    """
    try:
        messages.success(request, act())
    except (Forbidden, NotFound):
        raise
    except ChadanError as error:
        messages.error(request, str(error))
    return redirect(back)
