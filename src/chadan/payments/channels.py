"""Ways a merchant takes money: made, changed, enabled. A channel that is unsafe or incomplete cannot be enabled.

Public settings stand in the row, secrets are sealed and bound to it. A secret that was entered is never shown again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import PaymentChannel
from chadan.exports.models import AuditEvent
from chadan.orders.events import actor_json
from chadan.orders.states import PaymentMethod
from chadan.payments.gateways.base import ChannelConfig, Gateway
from chadan.payments.gateways.registry import gateway_of
from chadan.platform import sealing
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound

BALANCE = "balance"
"""The buyer's wallet at the merchant: no gateway."""
MANUAL = "manual"
"""A transfer somebody looks for in the account and confirms by hand: no gateway."""
PROTOCOLS = ("epay1", "epay2", "alipay", "wechat", BALANCE, MANUAL)
_PAYEE = ("pid", "seller_id", "mchid")
"""Public settings that name who receives the money, as gateways call it."""
_MOST_FEE = 2000
_LONG = 8000


class UnsafeChannel(Conflict):
    """The channel's settings are incomplete or unsafe; `problems` says how."""

    code = "unsafe_channel"

    def __init__(self, problems: list[str]) -> None:
        super().__init__(_("This channel cannot be enabled."), hint=" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form says of a channel. An empty secret keeps the one that is set; `fee_rate` is in 1/10,000."""

    name: str
    method: PaymentMethod
    payee: str = ""
    fee_rate: int = 0
    position: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def channels_for(merchant_id: int) -> list[PaymentChannel]:
    """The enabled channels of a merchant, in its order."""
    enabled = PaymentChannel.objects.filter(merchant_id=merchant_id, enabled=True).exclude(protocol="")
    return list(enabled.order_by("position", "pk"))


def channels_of(actor: Actor) -> list[PaymentChannel]:
    """Every channel of the acting merchant that takes money. Raises Forbidden."""
    actor.require(Permission.CHANNELS)
    owned = PaymentChannel.objects.filter(merchant_id=_merchant(actor)[0]).exclude(protocol="")
    return list(owned.order_by("-enabled", "position", "pk"))


def get(actor: Actor, channel_id: int) -> PaymentChannel:
    """One channel of the acting merchant. Raises Forbidden, and NotFound alike for another's and for none."""
    actor.require(Permission.CHANNELS)
    owned = PaymentChannel.objects.filter(pk=channel_id, merchant_id=_merchant(actor)[0]).exclude(protocol="").first()
    if owned is None:
        raise NotFound(_("There is no such payment channel."))
    return owned


def config_of(channel: PaymentChannel) -> ChannelConfig:
    """The channel as its gateway needs it, secrets opened. Raises SealBroken."""
    settings = {str(key): str(value) for key, value in dict(channel.settings).items()}
    opened = sealing.unseal(place_of(channel.pk), bytes(channel.secrets))
    return ChannelConfig(channel.pk, PaymentMethod.of(channel.method), settings, opened)


def gateway(channel: PaymentChannel) -> Gateway:
    """The channel's gateway, ready. Raises InvalidInput for a protocol without one."""
    return gateway_of(channel.protocol)(config_of(channel))


def is_gateway(channel: PaymentChannel) -> bool:
    """Whether the channel speaks to a gateway (and is not the wallet or a transfer)."""
    return channel.protocol not in ("", BALANCE, MANUAL)


def actor_of(channel: PaymentChannel) -> dict[str, object]:
    """How an event names a gateway that told something."""
    return {"kind": "gateway", "role": "", "id": channel.pk, "name": channel.name}


def payee_of(channel: PaymentChannel) -> str:
    """The gateway's id of who receives this channel's money; "" when its protocol has none."""
    return next((str(channel.settings[name]) for name in _PAYEE if channel.settings.get(name)), "")


def place_of(channel_id: int) -> str:
    """Where the channel's secrets are sealed for."""
    return f"payment_channel/{channel_id}"


def names_of(protocol: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(settings, secrets) a protocol takes. Raises InvalidInput for one nobody speaks."""
    if protocol == MANUAL:
        return ("instructions",), ()
    if protocol == BALANCE:
        return (), ()
    found = gateway_of(protocol)
    return tuple(found.setting_names), tuple(found.secret_names)


def set_secrets(channel: PaymentChannel) -> set[str]:
    """Which secrets are set; never what they are."""
    return {name for name, value in config_of(channel).secrets.items() if value}


def problems_of(channel: PaymentChannel) -> list[str]:
    """Why the channel cannot be enabled, in sentences; none for a sound one."""
    if channel.protocol == MANUAL:
        return [] if channel.settings.get("instructions") else [_("Say where buyers are to transfer the money.")]
    if channel.protocol == BALANCE:
        return []
    return gateway(channel).problems()


def create(actor: Actor, protocol: str, wanted: Wanted) -> PaymentChannel:
    """Makes a channel, not enabled. Raises Forbidden, InvalidInput."""
    actor.require(Permission.CHANNELS)
    merchant_id, home = _merchant(actor)
    names_of(protocol)
    channel = PaymentChannel(merchant_id=merchant_id, home=home, protocol=protocol)
    with _unique_name(), transaction.atomic():
        _fill(channel, wanted)
        channel.save()
        _seal(channel, wanted, {})
        _audit(actor, "channel.created", channel, {"protocol": protocol, "name": channel.name})
    return channel


def change(actor: Actor, channel_id: int, wanted: Wanted) -> PaymentChannel:
    """Changes a channel; an enabled one has to stay safe. Raises Forbidden, NotFound, InvalidInput, UnsafeChannel."""
    with _unique_name(), transaction.atomic():
        channel = _locked(actor, channel_id)
        before = _public(channel)
        kept = dict(config_of(channel).secrets)
        _fill(channel, wanted)
        channel.save()
        entered = _seal(channel, wanted, kept)
        if channel.enabled and (found := problems_of(channel)):
            raise UnsafeChannel(found)
        after = _public(channel)
        changed = {key: [before.get(key), value] for key, value in after.items() if before.get(key) != value}
        _audit(actor, "channel.changed", channel, {"changed": changed, "secrets_entered": entered})
    return channel


def enable(actor: Actor, channel_id: int) -> PaymentChannel:
    """Lets buyers pay through the channel. Raises Forbidden, NotFound, UnsafeChannel with every reason."""
    with transaction.atomic():
        channel = _locked(actor, channel_id)
        found = problems_of(channel)
        if not found:
            channel.enabled = True
            channel.save(update_fields=["enabled"])
            _audit(actor, "channel.enabled", channel, {})
            return channel
        _audit(actor, "channel.refused", channel, {"problems": found})
    raise UnsafeChannel(found)  # after the transaction: that somebody tried stays on record


def disable(actor: Actor, channel_id: int) -> PaymentChannel:
    """Starts no more payments through the channel; those under way are still taken. Raises Forbidden, NotFound."""
    with transaction.atomic():
        channel = _locked(actor, channel_id)
        channel.enabled = False
        channel.save(update_fields=["enabled"])
        _audit(actor, "channel.disabled", channel, {})
    return channel


def _merchant(actor: Actor) -> tuple[int, int]:
    if actor.merchant_id is None or actor.home is None:
        raise Forbidden(_("Payment channels belong to a shop."), hint=_("Switch to the shop."))
    return actor.merchant_id, actor.home


def _locked(actor: Actor, channel_id: int) -> PaymentChannel:
    get(actor, channel_id)
    return PaymentChannel.objects.select_for_update().get(pk=channel_id)


def _fill(channel: PaymentChannel, wanted: Wanted) -> None:
    name = wanted.name.replace("\x00", "").strip()
    if not name or len(name) > 100:
        raise InvalidInput(_("Give the channel a name of at most 100 characters."), field="name")
    if not 0 <= wanted.fee_rate <= _MOST_FEE:
        raise InvalidInput(_("A gateway's share is between 0 and 20 %."), field="fee_rate")
    names, _secrets = names_of(channel.protocol)
    channel.name, channel.payee = name, wanted.payee.replace("\x00", "").strip()[:200]
    method = PaymentMethod.BALANCE if channel.protocol == BALANCE else wanted.method
    channel.method, channel.fee_rate, channel.position = method.code, wanted.fee_rate, wanted.position
    channel.settings = {key: _clean(wanted.settings.get(key, ""), key) for key in names}


def _seal(channel: PaymentChannel, wanted: Wanted, kept: Mapping[str, str]) -> list[str]:
    """Seals kept and entered secrets together; returns the names of those entered."""
    _names, secret_names = names_of(channel.protocol)
    entered = {key: _clean(wanted.secrets.get(key, ""), key) for key in secret_names if wanted.secrets.get(key)}
    together = {key: value for key, value in {**kept, **entered}.items() if key in secret_names}
    channel.secrets = sealing.seal(place_of(channel.pk), together) if together else b""
    channel.save(update_fields=["secrets"])
    return sorted(entered)


def _clean(value: str, key: str) -> str:
    if len(value) > _LONG:
        raise InvalidInput(_("That is too long."), field=key)
    return value.replace("\x00", "").replace("\r\n", "\n").strip()


def _public(channel: PaymentChannel) -> dict[str, object]:
    said = {"name": channel.name, "payee": channel.payee, "method": PaymentMethod.of(channel.method).value}
    return {**said, "fee_rate": channel.fee_rate, "position": channel.position, **dict(channel.settings)}


def _audit(actor: Actor, event: str, channel: PaymentChannel, details: Mapping[str, object]) -> None:
    AuditEvent.objects.create(
        type=event,
        user_id=actor.user_id,
        actor=actor_json(actor),
        merchant_id=channel.merchant_id,
        subject=f"channel:{channel.pk}",
        details=dict(details),
    )


class _unique_name:  # noqa: N801 - reads as a word of the with statement
    """Turns the database's word on a second channel of the same name into a sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, IntegrityError) and "payment_channels_name" in str(error):
            raise InvalidInput(_("Another channel has this name."), field="name") from error
