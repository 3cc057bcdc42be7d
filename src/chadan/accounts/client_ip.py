"""Where a request came from."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from django.conf import settings


def client_ip(environ: dict[str, Any]) -> IPv4Address | IPv6Address | None:
    """The visitor's address in a WSGI environment; None when the server does not say.

    Behind a proxy on this machine (CHADAN_ORIGIN is set and the peer is loopback) it is the last address the proxy
    wrote to X-Forwarded-For: earlier ones are the visitor's own claim.
    """
    peer = _address(environ.get("REMOTE_ADDR", ""))
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
    if forwarded and settings.BEHIND_PROXY and peer is not None and peer.is_loopback:
        return _address(forwarded.rpartition(",")[2].strip()) or peer
    return peer


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
