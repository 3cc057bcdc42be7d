"""The operator's page of how far the event log and its consumers are."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chadan import eventlog
from chadan.accounts.actors import Actor
from chadan.eventlog.health import MOST_COUNTED
from chadan.web.orders.areas import Area, in_area


@require_safe
@in_area
def event_log(request: HttpRequest, area: Area, _actor: Actor) -> HttpResponse:
    """Lag of the sequencer, the consumers' cursors, and the events they could not take."""
    context = {
        "title": _("Health"),
        "area": area,
        "lag": eventlog.lag(),
        "failures": eventlog.failures(),
        "most": MOST_COUNTED,
        "late": eventlog.LATE,
    }
    return render(request, "ops/health.html", context)
