"""What makes a channel unsafe or incomplete, in sentences for the merchant."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chadan.payments.gateways import signing
from chadan.payments.gateways.base import ChannelConfig
from chadan.platform import peers
from chadan.platform.wording import gettext as _

SHORTEST_SHARED_KEY = 16


def missing(channel: ChannelConfig, names: Collection[str]) -> Iterator[str]:
    """A sentence for every needed field that is empty."""
    given = {name: channel.settings.get(name, "") or channel.secrets.get(name, "") for name in names}
    return peers.missing(given, {name: _("“%(name)s” is missing.") % {"name": name} for name in names})


def choice(channel: ChannelConfig, name: str, allowed: Collection[str]) -> Iterator[str]:
    """A sentence when an optional setting is none of the allowed words."""
    value = channel.settings.get(name, "")
    if value and value not in allowed:
        yield _("“%(name)s” must be one of: %(words)s.") % {"name": name, "words": ", ".join(allowed)}


def shared_key(key: str) -> Iterator[str]:
    """Sentences on a key both sides know."""
    if key and len(key) < SHORTEST_SHARED_KEY:
        yield _("The key is shorter than %(count)s characters: it could be guessed.") % {"count": SHORTEST_SHARED_KEY}
    if key.lstrip().startswith("-----BEGIN") or len(key) > 200:
        yield _("The key is an RSA key, but this protocol signs with MD5: use epay V2.")
    if key != key.strip():
        yield _("The key begins or ends with a blank.")


def key_pair(private: str, public: str) -> Iterator[str]:
    """Sentences on our private key and the gateway's public key."""
    ours = theirs = None
    if private:
        try:
            ours = signing.private_key(private, check=True)
        except signing.BadKey:
            yield _("Your private key cannot be read: paste it as PEM or Base64, without a password.")
    if public:
        try:
            theirs = signing.public_key(public)
        except signing.BadKey:
            yield _("The gateway's public key cannot be read: paste it as PEM, certificate or Base64.")
    for key, sentence in (
        (ours, _("Your private key has fewer than %(bits)s bits.")),
        (theirs, _("The gateway's public key has fewer than %(bits)s bits.")),
    ):
        if key is not None and key.key_size < signing.SHORTEST_RSA:
            yield sentence % {"bits": signing.SHORTEST_RSA}
    if ours is not None and theirs is not None and signing.same_key(ours, theirs):
        yield _("The gateway's public key is your own: paste the one the gateway shows, not the one you uploaded.")
