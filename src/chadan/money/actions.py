"""Pages on which money is asked for and moved: withdrawals, wallets, and the platform's side of both."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chadan.accounts.actors import Actor
from chadan.accounts.models import Merchant
from chadan.money import balances, statements, wallets
from chadan.money import withdrawals as service
from chadan.money.accounts import AccountKind
from chadan.money.labels import ACCOUNTS, POSTINGS, WITHDRAWALS
from chadan.money.statements import Account
from chadan.money.views import money_of, own_balance, posting_page
from chadan.platform.errors import ChadanError, NotFound
from chadan.platform.scope import scoped
from chadan.search.written import typed_fen


@require_http_methods(["GET", "HEAD", "POST"])
@money_of("merchant")
def withdrawals(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The shop's withdrawals, and the form that asks for one."""
    account = own_balance(actor)
    error = None
    if request.method == "POST":
        typed = request.POST
        error = _attempt(
            lambda: service.request(
                actor,
                typed_fen(typed.get("amount", ""), "amount"),
                typed.get("payee", ""),
                typed.get("note", ""),
                typed.get("once", ""),
            )
        )
        if error is None:
            messages.success(request, _("Asked for. The platform pays it and records the transfer here."))
            return redirect("money:withdrawals")
    with scoped(actor.scope) as session:
        held = balances.balance(session, account.merchant_id, account.kind)
        found = service.of_merchant(session, account.merchant_id)
    context = {
        "title": _("Withdrawals"),
        "balance": held,
        "withdrawals": [(one, *WITHDRAWALS[one.status]) for one in found],
        **_form(request, error),
    }
    return render(request, "money/withdrawals.html", context, status=error.status if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@money_of("merchant")
def shop_wallets(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Wallets held with the shop, its own at other shops, and credit given from its balance."""
    account = own_balance(actor)
    error = None
    if request.method == "POST":
        typed = request.POST
        error = _attempt(
            lambda: wallets.hand_over(
                actor,
                wallets.find_owner(typed.get("owner", "")),
                typed_fen(typed.get("amount", ""), "amount"),
                typed.get("memo", "")[: service.TEXT],
                typed.get("once", ""),
            )
        )
        if error is None:
            messages.success(request, _("The wallet was credited from the shop's balance."))
            return redirect("money:wallets")
    with scoped(actor.scope) as session:
        held = wallets.held_with(session, account.merchant_id)
        own = wallets.of_owner(session, "agent", account.merchant_id)
    context = {"title": _("Wallets"), "held": held, "own": own, **_form(request, error)}
    return render(request, "money/wallets.html", context, status=error.status if error else 200)


@require_safe
@money_of("merchant")
def wallet_at(request: HttpRequest, actor: Actor, shop_id: int) -> HttpResponse:
    """The entries of the shop's own wallet at another shop."""
    account = own_balance(actor)
    return _entries(request, actor, Account(shop_id, AccountKind.AGENT_WALLET, account.merchant_id), "money:wallets")


@require_safe
@money_of("buyer")
def buyer_wallets(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A buyer's wallets, one a shop."""
    with scoped(actor.scope) as session:
        own = wallets.of_owner(session, "buyer", actor.scope.buyer or 0)
    return render(request, "money/buyer.html", {"title": _("Wallet"), "own": own})


@require_safe
@money_of("buyer")
def buyer_wallet(request: HttpRequest, actor: Actor, shop_id: int) -> HttpResponse:
    """The entries of a buyer's wallet at one shop."""
    account = Account(shop_id, AccountKind.BUYER_WALLET, actor.scope.buyer or 0)
    return _entries(request, actor, account, "money:buyer")


@require_http_methods(["GET", "HEAD", "POST"])
@money_of("operator")
def platform(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the platform holds and owes, withdrawals to pay, and wallets credited for money that came outside."""
    error = None
    if request.method == "POST":
        typed = request.POST
        error = _attempt(
            lambda: wallets.credit_outside(
                actor,
                typed.get("shop", ""),
                wallets.find_owner(typed.get("owner", "")),
                typed_fen(typed.get("amount", ""), "amount"),
                typed.get("memo", "")[: service.TEXT],
                typed.get("once", ""),
            )
        )
        if error is None:
            messages.success(request, _("The wallet was credited."))
            return redirect("money:platform")
    with scoped(actor.scope) as session:
        totals = balances.totals(session)
        waiting = service.to_pay(session)
    shops = Merchant.objects.in_bulk({one.merchant_id for one in waiting})
    context = {
        "title": _("Money"),
        "totals": [(name, totals.get(kind, 0)) for kind, name in ACCOUNTS.items()],
        "waiting": [(one, shops[one.merchant_id]) for one in waiting],
        **_form(request, error),
    }
    return render(request, "money/platform.html", context, status=error.status if error else 200)


@require_POST
@money_of("operator")
def decide(request: HttpRequest, actor: Actor, withdrawal_id: int) -> HttpResponse:
    """Marks a withdrawal paid by `reference`, or turns it down for `reason` (`decision` says which)."""
    typed = request.POST
    if typed.get("decision") == "refuse":
        error = _attempt(lambda: service.refuse(actor, withdrawal_id, typed.get("reason", "")))
        done = _("Turned down: the money is back in the shop's balance.")
    else:
        error = _attempt(lambda: service.pay(actor, withdrawal_id, typed.get("reference", "")))
        done = _("Recorded as paid.")
    if error is not None:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("money:platform")


@require_safe
@money_of("operator")
def platform_posting(request: HttpRequest, actor: Actor, posting_id: int) -> HttpResponse:
    """Any posting, for the operator."""
    return posting_page(request, actor, posting_id)


def _entries(request: HttpRequest, actor: Actor, account: Account, back: str) -> HttpResponse:
    text = request.GET.get("before", "")
    before = int(text) if text.isdecimal() and len(text) < 19 else None
    shop = Merchant.objects.filter(pk=account.merchant_id).first()
    with scoped(actor.scope) as session:
        held = balances.balance(session, account.merchant_id, account.kind, account.owner_id)
        lines = statements.newest(session, account, before=before, limit=statements.PAGE + 1)
    if shop is None or (not lines and before is None):
        raise NotFound(_("There is no such wallet."))
    context = {
        "title": _("Wallet at %(shop)s") % {"shop": shop},
        "balance": held,
        "lines": lines[: statements.PAGE],
        "next": lines[statements.PAGE - 1].posting_id if len(lines) > statements.PAGE else None,
        "words": POSTINGS,
        "back": back,
        "order_path": "/orders" if actor.kind == "buyer" else "/m/orders",
    }
    return render(request, "money/wallet.html", context)


def _attempt(step: Callable[[], Any]) -> ChadanError | None:
    """The step's error for the form to say; what does not exist is not said in a form."""
    try:
        step()
    except NotFound:
        raise
    except ChadanError as error:
        return error
    return None


def _form(request: HttpRequest, error: ChadanError | None) -> dict[str, Any]:
    """What a form needs: its error, what was typed, and a token that makes a form sent twice count once."""
    return {"error": error, "typed": request.POST, "once": request.POST.get("once") or uuid.uuid4().hex}
