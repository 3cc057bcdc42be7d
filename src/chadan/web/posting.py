"""Addresses that only forms send to. A visitor who comes to one (a reload, a bookmark, a login's next) lands on its page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import Resolver404, resolve

View = Callable[..., HttpResponseBase]


def form_of(page: Callable[..., str]) -> Callable[[View], View]:
    """Lets a view take POST only; GET goes to the page the form stands on.

    `page(**arguments)` gets the address's arguments and returns that page's address; a `?in=…` is kept.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, *args, **kwargs)
            if request.method in ("GET", "HEAD"):
                return HttpResponseRedirect(_with_query(page(**kwargs), request.META.get("QUERY_STRING", "")))
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])

        wrapper.page_of_form = page  # type: ignore[attr-defined]  # read by `page_behind`
        return wrapper

    return decorate


def page_behind(address: str) -> str:
    """`address`, or the page of the form where `address` only takes a form."""
    path, _question, query = address.partition("?")
    try:
        match = resolve(path)
    except Resolver404:
        return address
    page: Callable[..., str] | None = getattr(match.func, "page_of_form", None)
    return _with_query(page(**match.kwargs), query) if page else address


def _with_query(address: str, query: str) -> str:
    return f"{address}?{query}" if query and "?" not in address else address
