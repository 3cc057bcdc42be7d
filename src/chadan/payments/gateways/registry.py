"""Which class speaks which protocol."""

from __future__ import annotations

from chadan.payments.gateways.alipay import Alipay
from chadan.payments.gateways.base import Gateway
from chadan.payments.gateways.epay1 import EpayV1
from chadan.payments.gateways.epay2 import EpayV2
from chadan.payments.gateways.wechat import WeChat
from chadan.platform.errors import InvalidInput
from chadan.platform.wording import gettext as _

GATEWAYS: dict[str, type[Gateway]] = {
    EpayV1.protocol: EpayV1,
    EpayV2.protocol: EpayV2,
    Alipay.protocol: Alipay,
    WeChat.protocol: WeChat,
}


def gateway_of(protocol: str) -> type[Gateway]:
    """The class for a channel's protocol. Raises InvalidInput for an unknown one."""
    try:
        return GATEWAYS[protocol]
    except KeyError as error:
        raise InvalidInput(_("There is no payment protocol “%(name)s”.") % {"name": protocol[:40]}) from error
