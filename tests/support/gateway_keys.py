"""Keys and channels for tests of the protocols, made once a run."""

from __future__ import annotations

from functools import cache

from chadan.orders.states import PaymentMethod
from chadan.payments.gateways.base import ChannelConfig, Gateway
from chadan.payments.gateways.registry import gateway_of
from chadan.sandbox.keys import _private, public_pem

OURS, THEIRS, OTHER = "ours", "theirs", "other"
APIV3 = "0123456789abcdef0123456789abcdef"


@cache
def private(name: str) -> str:
    """A private key of its own for every name."""
    assert name
    return _private()


@cache
def public(name: str) -> str:
    return public_pem(private(name))


def channel(protocol: str, **changes: str) -> ChannelConfig:
    """A channel without problems; `changes` replace settings or secrets by name."""
    keys = {"public_key": public(THEIRS)}
    settings, secrets = {
        "epay1": ({"url": "https://pay.example.com/", "pid": "1001"}, {"key": "0123456789abcdef0123456789abcdef"}),
        "epay2": ({"url": "https://pay.example.com/", "pid": "1001", **keys}, {"private_key": private(OURS)}),
        "alipay": (
            {"app_id": "2021000000000001", "seller_id": "2088000000000001", **keys},
            {"private_key": private(OURS)},
        ),
        "wechat": (
            {
                "mchid": "1900000001",
                "appid": "wx0000000000000001",
                "serial_no": "5AB0",
                "public_key_id": "PUB_1",
                **keys,
            },
            {"private_key": private(OURS), "apiv3_key": APIV3},
        ),
    }[protocol]
    for name, value in changes.items():
        (secrets if name in secrets else settings)[name] = value
    return ChannelConfig(7, PaymentMethod.ALIPAY, settings, secrets)


def gateway(protocol: str, **changes: str) -> Gateway:
    return gateway_of(protocol)(channel(protocol, **changes))
