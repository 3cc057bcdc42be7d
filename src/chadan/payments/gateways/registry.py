"""Which class speaks which protocol."""

from __future__ import annotations

from chadan.payments.gateways.base import Gateway
from chadan.platform.errors import InvalidInput

GATEWAYS: dict[str, type[Gateway]] = {}


def gateway_of(protocol: str) -> type[Gateway]:
    """The class for a channel's protocol. Raises InvalidInput for an unknown one."""
    try:
        return GATEWAYS[protocol]
    except KeyError as error:
        raise InvalidInput(f"There is no payment protocol {protocol[:40]!r}.") from error
