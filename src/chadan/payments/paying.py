"""The buyer's pages: choose how to pay, pay, and see that it arrived. They work without JavaScript by a refresh link.

An account pays its own orders; a guest those its browser placed (`request.session["orders"]`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import segno
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from markupsafe import Markup

from chadan.accounts.actors import Actor
from chadan.accounts.client_ip import client_ip
from chadan.catalog.models import PaymentChannel
from chadan.orders import number
from chadan.orders.states import OrderStatus, PaymentMethod
from chadan.payments import attempts, channels, healing, looks, records
from chadan.payments.gateways.base import Show
from chadan.payments.records import Attempt
from chadan.platform.errors import ChadanError, InvalidInput, NotFound
from chadan.platform.scope import Scope, scoped

P = ParamSpec("P")
ASK_AGAIN = timedelta(seconds=3)
"""A gateway is not asked more often than this about one payment, however often a button is pressed."""
_BILL = """
select o.status, o.amount, o.currency, v.title, o.quantity, o.merchant_id, m.name, c.expires_at
from orders o join product_versions v on v.id = o.version_id join merchants m on m.id = o.merchant_id
left join order_checkouts c on c.order_no = o.order_no and c.home = o.home
where o.order_no = %s and o.home = %s
"""


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays which order: `account` when it is the signed-in buyer's own."""

    order_no: int
    scope: Scope
    account: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """What is to be paid. `amount` is fen."""

    status: OrderStatus
    amount: int
    currency: str
    title: str
    quantity: int
    merchant_id: int
    shop: str
    expires_at: datetime | None

    @property
    def waiting(self) -> bool:
        """Whether it may still be paid."""
        return self.status is OrderStatus.PENDING_PAYMENT


def for_payer(
    view: Callable[Concatenate[HttpRequest, Payer, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Opens an order's payment pages to who may pay it; another's order answers like none."""

    @wraps(view)
    def wrapper(request: HttpRequest, order_no: str, *args: Any, **kwargs: Any) -> HttpResponse:
        payer = _payer(request, order_no)
        if payer is None:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            raise NotFound(_("There is no such order."))
        response = view(request, payer, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response

    return wrapper


@require_safe
@for_payer
def choose(request: HttpRequest, payer: Payer) -> HttpResponse:
    """The ways to pay; what was started stays within reach."""
    return _choose(request, payer)


@require_POST
@for_payer
def start(request: HttpRequest, payer: Payer) -> HttpResponse:
    """Starts to pay and goes to the page that says how; a second click comes to the same payment."""
    wanted = request.POST.get("channel", "")
    if not wanted:
        return _choose(request, payer, InvalidInput(_("Choose how to pay."), field="channel"))
    text = number.text(payer.order_no)
    agent = request.headers.get("User-Agent", "")
    try:
        attempt, _begun = attempts.start_attempt(
            _capacity(payer),
            payer.order_no,
            int(wanted) if wanted.isdecimal() and len(wanted) < 18 else 0,
            return_url=lambda seq: request.build_absolute_uri(reverse("payments:returned", args=[text, seq])),
            client_ip=str(client_ip(request.META) or ""),
            device="mobile" if "Mobile" in agent else "pc",
        )
    except ChadanError as error:
        return _choose(request, payer, error)
    if attempt is None:
        return redirect("payments:choose", text)
    return redirect("payments:wait", text, attempt.seq)


@require_safe
@for_payer
def wait(request: HttpRequest, payer: Payer, seq: int) -> HttpResponse:
    """The code to scan or the way to the gateway, and whether the money has come; a part of it keeps itself up to date.

    While it is open the gateway is asked every `looks.WATCHED`, by the worker.
    """
    bill, attempt = _bill(payer), _attempt(payer, seq)
    channel = PaymentChannel.objects.filter(pk=attempt.channel_id or 0).first()
    context = {
        "title": _("Pay the order"),
        "bill": bill,
        "order_no": payer.order_no,
        "attempt": attempt,
        "channel": channel,
        "code": _code(attempt.pay_url) if attempt.show is Show.QR and bill.waiting else "",
        "goes": attempt.pay_url.startswith(("https://", "http://")) and attempt.show in (Show.REDIRECT, Show.QR),
        "instructions": str(channel.settings.get("instructions", "")) if channel else "",
        "by_hand": channel is not None and channel.protocol == channels.MANUAL,
        "order_url": _order_url(payer),
        **_kept(request, payer),
    }
    if bill.waiting and channel is not None and channels.is_gateway(channel) and looks.watched(attempt, number.now()):
        looks.soon(payer.order_no, seq)
    part = request.headers.get("HX-Target") == "payment"
    return render(request, "payments/payment.html" if part else "payments/wait.html", context)


@require_POST
@for_payer
def asked(request: HttpRequest, payer: Payer, seq: int) -> HttpResponse:
    """The button "I have paid": the gateway is asked at once."""
    if not _ask(payer, seq):
        messages.info(request, _("The money has not arrived yet. This page will show it when it does."))
    return redirect("payments:wait", number.text(payer.order_no), seq)


@require_safe
@for_payer
def returned(_request: HttpRequest, payer: Payer, seq: int) -> HttpResponse:
    """Where the gateway sends the browser back to. What the address says is not believed: the gateway is asked."""
    _ask(payer, seq)
    return redirect("payments:wait", number.text(payer.order_no), seq)


def _payer(request: HttpRequest, order_no: str) -> Payer | None:
    parsed = number.digits(order_no)
    if parsed is None:
        return None
    try:
        _merchant, buyer_id = records.owner_of(parsed)
    except NotFound:
        return None
    held: list[Actor] = request.capacities  # type: ignore[attr-defined]  # accounts.middleware
    if any(actor.scope.buyer == buyer_id for actor in held):
        return Payer(parsed, Scope(buyer=buyer_id), account=True)
    if order_no in request.session.get("orders", []):
        return Payer(parsed, Scope(buyer=buyer_id), account=False)
    return None


def _capacity(payer: Payer) -> Scope:
    """The buyer's own scope opens the wallet; a browser that only placed the order acts through the shop."""
    return payer.scope if payer.account else records.system_scope(payer.order_no)


def _choose(request: HttpRequest, payer: Payer, error: ChadanError | None = None) -> HttpResponse:
    bill = _bill(payer)
    open_now = attempts.channels_for(bill.merchant_id) if bill.waiting else []
    started = [one for one in _attempts(payer) if one.show is not None and one.open and bill.waiting]
    context = {
        "title": _("Pay the order"),
        "bill": bill,
        "order_no": payer.order_no,
        "channels": [one for one in open_now if payer.account or one.protocol != channels.BALANCE],
        "wanted": request.POST.get("channel") or request.GET.get("channel", ""),
        "methods": {one.pk: PaymentMethod.of(one.method) for one in open_now},
        "wallet": _wallet(payer, bill) if any(one.protocol == channels.BALANCE for one in open_now) else None,
        "started": started,
        "names": {one.pk: one.name for one in open_now},
        "order_url": _order_url(payer),
        **_kept(request, payer),
        "error": error,
    }
    return render(request, "payments/choose.html", context, status=error.status if error else 200)


def _kept(request: HttpRequest, payer: Payer) -> dict[str, Any]:
    """What the page needs to tell a guest what to keep."""
    from chadan.storefront import keeping

    return {"guest": not payer.account, "made_code": "" if payer.account else keeping.code_of(request, payer.order_no)}


def _bill(payer: Payer) -> Bill:
    with scoped(payer.scope) as session:
        rows = session.rows(_BILL, (payer.order_no, number.split(payer.order_no).home))
    status, *rest = rows[0]
    return Bill(OrderStatus.of(status), *rest)


def _wallet(payer: Payer, bill: Bill) -> int | None:
    if not payer.account or payer.scope.buyer is None:
        return None
    from chadan.money import balances

    with scoped(records.system_scope(payer.order_no)) as session:
        return balances.wallet(session, bill.merchant_id, "buyer", payer.scope.buyer)


def _attempts(payer: Payer) -> list[Attempt]:
    with scoped(payer.scope) as session:
        return records.attempts_of(session, payer.order_no)


def _attempt(payer: Payer, seq: int) -> Attempt:
    found = next((one for one in _attempts(payer) if one.seq == seq), None)
    if found is None:
        raise NotFound(_("There is no such payment."))
    return found


def _ask(payer: Payer, seq: int) -> bool:
    """Asks the gateway unless it was asked a moment ago; True when the order is paid."""
    attempt = _attempt(payer, seq)
    recent = attempt.queried_at is not None and number.now() - attempt.queried_at < ASK_AGAIN
    if attempt.open and not recent:
        healing.ask(payer.order_no, seq)
    return not _bill(payer).waiting


def _order_url(payer: Payer) -> str:
    """Where the order is looked at: the buyer's page, or for a guest the shop's."""
    text = number.text(payer.order_no)
    if payer.account:
        return reverse("orders:buyer-order", args=[text])
    from chadan.accounts.models import Merchant

    merchant = Merchant.objects.get(pk=records.owner_of(payer.order_no)[0])
    return f"/s/{merchant.slug}/order/{text}"


def _code(text: str) -> Markup:
    """The text as an inline SVG: no request, no script, no style."""
    drawn = segno.make(text, error="m")
    # Colours as attributes: an inline style would break the content security policy.
    return Markup(drawn.svg_inline(border=0, dark="#1a1d23", omitsize=True, svgclass=None, lineclass=None))  # noqa: S704
