"""The pages of agents: /m/agents, for the shop that has them and for the shop that is one."""

from __future__ import annotations

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.products import LEVELS
from chadan.delivery import agent_admin, webhook_secrets
from chadan.exports.views import signed_in
from chadan.search.written import typed_fen
from chadan.web.forms import done

PAGE = "delivery:agents"


@require_safe
@signed_in
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Our agents, and what shops above us open to us."""
    return _page(request, actor)


@require_POST
@signed_in
def admit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Lets another shop resell our products."""

    def act() -> str:
        agent_admin.admit(actor, request.POST.get("slug", ""), _level(request))
        return _("The shop is your agent now.")

    return done(request, act, PAGE)


@require_POST
@signed_in
def change(request: HttpRequest, actor: Actor, reseller_id: int) -> HttpResponse:
    """Another level; suspended or taken back."""

    def act() -> str:
        agent_admin.change(actor, reseller_id, level=_level(request), active=request.POST.get("active") == "1")
        return _("The agent is changed.")

    return done(request, act, PAGE)


@require_POST
@signed_in
def top_up(request: HttpRequest, actor: Actor, reseller_id: int) -> HttpResponse:
    """Books money the agent paid outside."""

    def act() -> str:
        amount = typed_fen(request.POST.get("amount", ""), "amount")
        booked = agent_admin.top_up(actor, reseller_id, amount, request.POST.get("once", "")[:64])
        return _("The wallet is topped up.") if booked else _("This top-up was booked before.")

    return done(request, act, PAGE)


@require_POST
@signed_in
def resell(request: HttpRequest, actor: Actor, product_id: int) -> HttpResponse:
    """Takes an upstream product up at our price."""

    def act() -> str:
        agent_admin.resell(actor, product_id, typed_fen(request.POST.get("price", ""), "price"))
        return _("The product is on sale in your shop.")

    return done(request, act, PAGE)


@require_POST
@signed_in
def secret(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new signing secret for the callbacks we get, shown this once."""
    return _page(request, actor, shown=webhook_secrets.renew(actor))


def _page(request: HttpRequest, actor: Actor, shown: str = "") -> HttpResponse:
    context = {
        "title": _("Agents"),
        "agents": agent_admin.agents_of(actor),
        "upstreams": agent_admin.upstream_products(actor),
        "levels": [(level, level) for level in LEVELS],
        "may_top_up": actor.may(Permission.MONEY),
        "once": secrets.token_hex(16),
        "secret": shown,
    }
    response = render(request, "delivery/agents.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _level(request: HttpRequest) -> int:
    typed = request.POST.get("level", "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else 0
