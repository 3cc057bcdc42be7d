"""The gateways there are."""

from __future__ import annotations

from chadan.sandbox.gateway.epay1 import EpaySite1
from chadan.sandbox.gateway.peer import Peer, World


def peers_of(world: World) -> dict[str, Peer]:
    """Every gateway's other side, by protocol."""
    peers: list[Peer] = [EpaySite1(world)]
    return {peer.protocol: peer for peer in peers}
