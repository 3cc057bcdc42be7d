"""The owner's pages of payment channels. A secret is typed here and never shown again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import PaymentChannel
from chadan.orders.states import PaymentMethod
from chadan.payments import channels
from chadan.payments.channels import PROTOCOLS, UnsafeChannel, Wanted
from chadan.platform.errors import ChadanError, InvalidInput
from chadan.search.written import parse_fen
from chadan.web.labels import label
from chadan.web.orders.areas import MERCHANT, acting_in

KINDS: dict[str, Promise] = {
    "epay1": gettext_lazy("Epay V1 (MD5)"),
    "epay2": gettext_lazy("Epay V2 (RSA)"),
    "alipay": gettext_lazy("Alipay"),
    "wechat": gettext_lazy("WeChat Pay v3"),
    "balance": gettext_lazy("Wallet at the shop"),
    "manual": gettext_lazy("Transfer, confirmed by hand"),
}
FIELDS: dict[str, Promise] = {
    "url": gettext_lazy("Gateway address"),
    "pid": gettext_lazy("Merchant number (pid)"),
    "type": gettext_lazy("Payment type: alipay, wxpay, qqpay"),
    "way": gettext_lazy("Way of paying, as the gateway names it"),
    "join": gettext_lazy("How the key is appended: bare or named"),
    "refunds": gettext_lazy("Whether the site refunds: 0 or 1"),
    "app_id": gettext_lazy("Application number (app_id)"),
    "appid": gettext_lazy("Application number (appid)"),
    "seller_id": gettext_lazy("Seller number (seller_id)"),
    "mchid": gettext_lazy("Merchant number (mchid)"),
    "serial_no": gettext_lazy("Serial number of our certificate"),
    "public_key_id": gettext_lazy("Number of the gateway's public key"),
    "key": gettext_lazy("Key"),
    "apiv3_key": gettext_lazy("API v3 key"),
    "private_key": gettext_lazy("Our private key (PEM)"),
    "public_key": gettext_lazy("The gateway's public key (PEM)"),
    "instructions": gettext_lazy("What buyers are told: where to transfer, and what to write"),
}
_LONG = {"private_key", "public_key", "instructions"}


@require_safe
@acting_in(MERCHANT, Permission.CHANNELS)
def listed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The shop's channels, those in use first, and what keeps the others from use."""
    rows = [(one, KINDS.get(one.protocol, one.protocol), _problems(one)) for one in channels.channels_of(actor)]
    return render(request, "payments/channels.html", {"title": _("Payment channels"), "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@acting_in(MERCHANT, Permission.CHANNELS)
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """First the kind, then its form; sent, the channel stands there, not enabled yet."""
    protocol = (request.POST if request.method == "POST" else request.GET).get("protocol", "")
    known = _known()
    if protocol not in known:
        return render(
            request, "payments/channel_kind.html", {"title": _("New payment channel"), "kinds": known.items()}
        )
    if request.method != "POST":
        return _form(request, PaymentChannel(protocol=protocol))
    try:
        made = channels.create(actor, protocol, _wanted(request.POST, protocol))
    except ChadanError as error:
        return _form(request, PaymentChannel(protocol=protocol), error)
    messages.success(request, _("The channel is saved. Enable it when it is complete."))
    return redirect("payments:channel", made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@acting_in(MERCHANT, Permission.CHANNELS)
def edit(request: HttpRequest, actor: Actor, channel_id: int) -> HttpResponse:
    """One channel: its settings, which secrets are set, and why it cannot be enabled if it cannot."""
    channel = channels.get(actor, channel_id)
    if request.method != "POST":
        return _form(request, channel)
    try:
        channels.change(actor, channel_id, _wanted(request.POST, channel.protocol))
    except ChadanError as error:
        return _form(request, channel, error)
    messages.success(request, _("The channel is saved."))
    return redirect("payments:channel", channel_id)


@require_POST
@acting_in(MERCHANT, Permission.CHANNELS)
def state(request: HttpRequest, actor: Actor, channel_id: int) -> HttpResponse:
    """Enables or disables a channel; one that is unsafe is refused with every reason."""
    try:
        if request.POST.get("enabled") == "1":
            channels.enable(actor, channel_id)
            messages.success(request, _("Buyers can pay through this channel now."))
        else:
            channels.disable(actor, channel_id)
            messages.success(request, _("No more payments start through this channel."))
    except UnsafeChannel as error:
        return _form(request, channels.get(actor, channel_id), error)
    return redirect("payments:channel", channel_id)


def _known() -> dict[str, Promise]:
    """The kinds there is a gateway for."""
    found = {}
    for protocol in PROTOCOLS:
        try:
            channels.names_of(protocol)
        except InvalidInput:
            continue
        found[protocol] = KINDS[protocol]
    return found


def _problems(channel: PaymentChannel) -> list[str]:
    try:
        return channels.problems_of(channel)
    except ChadanError as error:
        return [str(error)]


def _wanted(typed: QueryDict, protocol: str) -> Wanted:
    names, secrets = channels.names_of(protocol)
    method, position = typed.get("method", ""), typed.get("position", "0")
    return Wanted(
        name=typed.get("name", ""),
        method=PaymentMethod(method) if method in set(PaymentMethod) else PaymentMethod.ALIPAY,
        payee=typed.get("payee", ""),
        fee_rate=parse_fen(typed.get("fee_rate") or "0", "fee_rate"),  # 0.6 % is 60/10,000
        position=int(position) if position.isdecimal() and len(position) < 6 else 0,
        settings={name: typed.get(f"set-{name}", "") for name in names},
        secrets={name: typed.get(f"secret-{name}", "") for name in secrets},
    )


def _form(request: HttpRequest, channel: PaymentChannel, error: ChadanError | None = None) -> HttpResponse:
    names, secrets = channels.names_of(channel.protocol)
    typed = request.POST if "name" in request.POST else None
    saved = channel.pk is not None

    def value(key: str, stored: Any) -> Any:
        return typed.get(key, "") if typed is not None else stored

    context = {
        "title": channel.name or _("New payment channel"),
        "channel": channel,
        "saved": saved,
        "kind": KINDS.get(channel.protocol, channel.protocol),
        "name": value("name", channel.name),
        "payee": value("payee", channel.payee),
        "position": value("position", channel.position),
        "fee_rate": value("fee_rate", f"{channel.fee_rate // 100}.{channel.fee_rate % 100:02d}"),
        "method": value("method", PaymentMethod.of(channel.method or 0)),
        "methods": [(one.value, label(one)) for one in PaymentMethod if one is not PaymentMethod.BALANCE],
        "settings": [
            (f"set-{name}", FIELDS.get(name, name), value(f"set-{name}", channel.settings.get(name, "")), _long(name))
            for name in names
        ],
        "secrets": [(f"secret-{name}", FIELDS.get(name, name), _long(name), name in _set(channel)) for name in secrets],
        "problems": _problems(channel) if saved and not channel.enabled else [],
        "error": error,
        "notify_path": f"/pay/notify/{channel.pk}/" if saved and channels.is_gateway(channel) else "",
    }
    return render(request, "payments/channel.html", context, status=error.status if error else 200)


def _set(channel: PaymentChannel) -> set[str]:
    return channels.set_secrets(channel) if channel.pk is not None else set()


def _long(name: str) -> bool:
    return name in _LONG
