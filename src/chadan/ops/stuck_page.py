"""The operator's page of what is stuck."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chadan.accounts.actors import Actor
from chadan.ops import stuck
from chadan.web.orders.areas import Area, in_area


@require_safe
@in_area
def stuck_things(request: HttpRequest, area: Area, _actor: Actor) -> HttpResponse:
    """Every kind with its rows, newest troubles where they hurt most first."""
    report = stuck.look()
    kinds = [
        (_("Orders past their time"), report.orders),
        (_("Refunds that do not go"), report.refunds),
        (_("Payments nobody could settle"), report.payments),
        (_("Callbacks not believed in the last day"), report.callbacks),
        (_("Suppliers that fail"), report.suppliers),
        (_("Jobs that gave up"), report.jobs),
    ]
    shown = [(title, rows) for title, rows in kinds if rows]
    context = {"title": _("What is stuck"), "kinds": shown, "area": area, "most": stuck.MOST}
    return render(request, "ops/stuck.html", context)
