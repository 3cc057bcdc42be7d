"""Which protocols there are."""

from __future__ import annotations

from chadan.payments.gateways.base import Gateway
from chadan.platform.errors import NotFound

_KNOWN: dict[str, type[Gateway]] = {}


def register(gateway: type[Gateway]) -> type[Gateway]:
    """Makes a protocol known under its own name; usable as a decorator."""
    _KNOWN[gateway.protocol] = gateway
    return gateway


def gateway_of(protocol: str) -> type[Gateway]:
    """The class of a protocol. Raises NotFound for one nobody wrote, and for `balance` and `manual`, which are no gateways."""
    try:
        return _KNOWN[protocol]
    except KeyError:
        raise NotFound(f"There is no payment protocol {protocol!r}.") from None
