"""What other people's servers have in common, be they payment gateways or suppliers: how they refuse, what they are answered, what a
connection to one must have before it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from chadan.platform.config import get_config
from chadan.platform.errors import ChadanError
from chadan.platform.http_call import is_loopback
from chadan.platform.wording import gettext as _

WORDS = 200
"""So much of a peer's own words is kept."""


class PeerRefused(ChadanError):
    """The peer answered, and said no."""

    code = "peer_refused"
    status = 502


class ForgedMessage(ChadanError):
    """A callback that the peer did not sign, that is for somebody else, or too old."""

    code = "forged_message"
    status = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer wants to hear back to its callback, exactly."""

    status: int
    content_type: str
    body: bytes


def own_words(words: object, secrets: Mapping[str, str]) -> str:
    """A peer's own words on one line, without our secrets should it repeat them; "—" for none."""
    text = " ".join(str(words or "").split())
    for secret in secrets.values():
        if secret:
            text = text.replace(secret, "***")
    return text[:WORDS] or "—"


def missing(given: Mapping[str, str], sentences: Mapping[str, str]) -> Iterator[str]:
    """The sentence of every needed field that is empty or blank; `sentences` by field."""
    for name, sentence in sentences.items():
        if not given.get(name, "").strip():
            yield sentence


def address_problems(url: str) -> Iterator[str]:
    """Sentences on a peer's address: https, a host, no user, no query; loopback only in the sandbox. An empty one has none."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        yield _("The address cannot be read.")
        return
    if parts.scheme not in ("https", "http") or not host or parts.username or parts.query or parts.fragment:
        yield _("The address must look like https://pay.example.com/ and carry nothing after a question mark.")
    elif is_loopback(host):
        if not get_config().sandbox:
            yield _("The address is this machine's own: that is allowed in the sandbox only (CHADAN_SANDBOX=1).")
    elif parts.scheme != "https":
        yield _("The address starts with http://: keys and payments would travel in the open. Use https://.")
