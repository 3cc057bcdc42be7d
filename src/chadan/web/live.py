"""Pages that stay up to date: where their stream is, and the answer for those that have to ask again and again."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from chadan.accounts.actors import Actor
from chadan.eventlog import reading
from chadan.live.hub import told
from chadan.live.topics import topics_of
from chadan.live.visitors import visitor
from chadan.orders import number
from chadan.platform.config import get_config
from chadan.web.middleware import Handler

POLL_PATH = "/orders/changes"


@dataclass(frozen=True, slots=True)
class Live:
    """What a page's script needs: the stream's address, the address to ask instead, where the log stood, the page's moment."""

    stream: str
    poll: str
    since: int
    made_at: str
    """The smallest order number of the second in which the page was made: larger ones are new to it."""


def live_for(request: HttpRequest, actor: Actor) -> Live:
    """Call before the page's orders are read: what changes in between is told then."""
    capacity, origin = urlencode({"as": actor.key}), source(request)
    request.live_source = origin  # type: ignore[attr-defined]  # for connect_source below
    return Live(
        stream=f"{origin}/live/orders?{capacity}",
        poll=f"{POLL_PATH}?{capacity}",
        since=reading.position(),
        made_at=number.text(number.floor(number.now())),
    )


def source(request: HttpRequest) -> str:
    """The live process's origin for this page; "" when it is the page's own (behind a proxy)."""
    config = get_config()
    if config.origin:
        return ""
    host = urlsplit(f"//{request.get_host()}").hostname or ""
    return f"http://{f'[{host}]' if ':' in host else host}:{config.live_port}"


def connect_source(get_response: Handler) -> Handler:
    """Lets a page with a stream connect to the live process, and to nothing else beside its own origin."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if origin := getattr(request, "live_source", ""):
            response._csp_update = {"connect-src": [origin]}  # type: ignore[attr-defined]  # noqa: SLF001 - csp's name
        return response

    return middleware


@require_safe
def changes(request: HttpRequest) -> JsonResponse:
    """What the stream would have told since a position: for pages that cannot keep one open."""
    asking = visitor(request.session, request.user, request.GET.get("as", ""))
    if asking is None:
        response = JsonResponse({}, status=401)
    else:
        head = reading.position()
        since = request.GET.get("since", "")
        start = int(since) if since.isdecimal() and len(since) < 19 else head
        if head - start > reading.MOST_CHANGES:
            response = JsonResponse({"position": head, "resync": True})
        else:
            found = reading.changes(asking.scope, start, head) if head > start else []
            numbers = [change.order_no for change in found if asking.topics.intersection(topics_of(change))]
            response = JsonResponse({"position": head, **told(numbers)})
    response["Cache-Control"] = "no-store"
    return response
