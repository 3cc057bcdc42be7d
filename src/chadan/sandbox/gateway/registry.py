"""The gateways there are."""

from __future__ import annotations

from chadan.sandbox.gateway.alipay import AlipayPlatform
from chadan.sandbox.gateway.epay1 import EpaySite1
from chadan.sandbox.gateway.epay2 import EpaySite2
from chadan.sandbox.gateway.peer import Peer, World
from chadan.sandbox.gateway.wechat import WeChatPay


def peers_of(world: World) -> dict[str, Peer]:
    """Every gateway's other side, by protocol."""
    peers: list[Peer] = [EpaySite1(world), EpaySite2(world), AlipayPlatform(world), WeChatPay(world)]
    return {peer.protocol: peer for peer in peers}
