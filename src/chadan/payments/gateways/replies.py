"""What protocols share in reading answers and callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from chadan.payments.gateways import signing, values
from chadan.payments.gateways.base import ChannelConfig, GatewayRefused, GatewayUnreachable, RawCallback
from chadan.payments.gateways.http_call import Reply
from chadan.platform.peers import own_words
from chadan.platform.wording import gettext as _

WINDOW_SECONDS = 300
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Accept": "application/json"}


def understood(reply: Reply) -> dict[str, Any]:
    """The answer's JSON object. Raises GatewayUnreachable for any other status and for what is no JSON."""
    if reply.status != 200:
        raise GatewayUnreachable(_("The gateway answered with status %(status)s.") % {"status": reply.status})
    try:
        return values.json_object(reply.body)
    except values.Unreadable as error:
        raise GatewayUnreachable(_("The gateway's answer cannot be read.")) from error


def refused(found: Mapping[str, Any], channel: ChannelConfig, *names: str) -> GatewayRefused:
    """The gateway's own words as an error, without our secrets should it repeat them."""
    words = " ".join(filter(None, (values.text(found, name) for name in names or ("msg",))))
    return GatewayRefused(_("The gateway refused: %(words)s") % {"words": own_words(words, channel.secrets)})


def fields_of(callback: RawCallback) -> dict[str, str]:
    """A callback's fields: the query of a GET, the form of a POST. Raises Unreadable."""
    if callback.method == "GET":
        return values.form(callback.query)
    try:
        return values.form(callback.body.decode())
    except UnicodeDecodeError as error:
        raise values.Unreadable("the body is no UTF-8") from error


def our_key(channel: ChannelConfig) -> RSAPrivateKey:
    """The channel's private key. Raises GatewayRefused: a channel that has none does not even ask."""
    try:
        return signing.private_key(channel.secrets.get("private_key", ""))
    except signing.BadKey as error:
        raise GatewayRefused(
            _("Your private key cannot be read: paste it as PEM or Base64, without a password.")
        ) from error


def is_theirs(channel: ChannelConfig, message: str, signature: str) -> bool:
    """Whether the gateway signed the message with the key the channel names; never without one."""
    try:
        key = signing.public_key(channel.settings.get("public_key", ""))
    except signing.BadKey:
        return False
    return signing.rsa_verified(key, message, signature)


def in_window(stamp: str, at: float) -> bool:
    """Whether a time in seconds since 1970 lies within five minutes of `at`."""
    return stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and abs(int(stamp) - at) <= WINDOW_SECONDS
