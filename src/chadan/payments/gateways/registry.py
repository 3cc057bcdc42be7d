"""Which class speaks which protocol."""

from __future__ import annotations

from chadan.payments.gateways.base import Gateway
from chadan.payments.gateways.epay1 import EpayV1
from chadan.payments.gateways.wording import gettext as _
from chadan.platform.errors import InvalidInput

GATEWAYS: dict[str, type[Gateway]] = {
    "epay1": EpayV1,
}


def gateway_of(protocol: str) -> type[Gateway]:
    """The class for a channel's protocol. Raises InvalidInput for an unknown one."""
    try:
        return GATEWAYS[protocol]
    except KeyError as error:
        raise InvalidInput(_("There is no payment protocol “%(name)s”.") % {"name": protocol[:40]}) from error
