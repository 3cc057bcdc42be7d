"""How a gateway is called: as anybody is (platform.http_call), with the error payments know."""

from __future__ import annotations

from collections.abc import Mapping

from chadan.payments.gateways.base import GatewayUnreachable
from chadan.platform import http_call
from chadan.platform.http_call import Reply

__all__ = ["Reply", "call"]


def call(method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
    """One request, one answer, whatever its status. Raises GatewayUnreachable when there is none that can be used."""
    try:
        return http_call.call(method, url, body=body, headers=headers)
    except http_call.Unreachable as error:
        raise GatewayUnreachable(error.message) from error
