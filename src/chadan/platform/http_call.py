"""The one way Chadan calls somebody else's server: HTTPS to a public address that was checked, and nothing followed.

The name is resolved once and the connection goes to the address that was checked, so a name that changes its mind in between gains nothing.
5 s to connect, 10 s in all, 1 MiB of answer, no redirects, no proxies. `CHADAN_SANDBOX=1` allows this machine's loopback addresses besides,
over plain http too; so does a caller whose address the settings name (`Limits.ours`). Errors name the host alone: the rest of an address may carry a key.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self
from urllib.parse import urlsplit

from chadan.platform.config import LOOPBACK, get_config
from chadan.platform.errors import ChadanError
from chadan.platform.wording import gettext as _

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
MOST_BYTES = 1 << 20
_TUNNELS = tuple(
    ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")
)
"""IPv6 that leads to an IPv4 address somebody else chooses (NAT64, 6to4, Teredo), and old site-local addresses."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(ChadanError):
    """No answer, or none that can be used. `sent`: whether the request may have reached the other side."""

    code = "unreachable"
    status = 502

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call may take, how much may come back; `ours`: the address stands in the settings, not in a shop's form,
    and may be this machine's or a private network's.
    """

    seconds: float
    most_bytes: int
    ours: bool = False


def call(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Reply:
    """One request, one answer, whatever its status. Raises Unreachable when there is none that can be used."""
    limits = limits or Limits(TOTAL_SECONDS, MOST_BYTES)
    host, sent = "", False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        with _Line(parts.scheme, host, port, limits) as line:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            named = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "Chadan", **(headers or {})}
            if (
                line.is_over()
            ):  # the name or the handshake took it all: what is sent now might be sent beside a second try
                raise _unreachable(host)
            sent = True
            line.connection.request(method, target, body or None, named)
            with line.connection.getresponse() as answer:
                found = answer.read(limits.most_bytes + 1)
                if len(found) > limits.most_bytes or answer.length or line.is_over():  # too long, cut short, too late
                    raise _unreachable(host, sent=True)
                return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, found)
    except OSError as error:
        raise _unreachable(host, sent=sent) from error
    except (http.client.HTTPException, ValueError):
        raise _unreachable(host, sent=sent) from None  # their texts repeat what was sent, and that holds keys


class _Line:
    """An open connection to a checked address that hangs up when its time is over."""

    def __init__(self, scheme: str, host: str, port: int | None, limits: Limits) -> None:
        """Connects. Raises OSError or Unreachable."""
        secure = scheme == "https"
        if not secure and scheme != "http":
            raise _unreachable(host)
        port = port or (443 if secure else 80)
        self._deadline = time.monotonic() + limits.seconds
        address = _checked(host, port, ours=limits.ours)
        if not secure and not address.is_loopback:
            raise Unreachable(_("%(host)s is not called without encryption.") % {"host": host[:100]})
        self._sock: socket.socket = socket.create_connection((str(address), port), min(CONNECT_SECONDS, limits.seconds))
        self._watchdog = threading.Timer(max(self._deadline - time.monotonic(), 0.01), self._hang_up)
        self._watchdog.daemon = True
        self._watchdog.start()
        try:
            if secure:
                self._sock = _tls().wrap_socket(self._sock, server_hostname=host, do_handshake_on_connect=False)
                self._sock.do_handshake()
            self._sock.settimeout(limits.seconds)
        except BaseException:
            self._end()
            raise
        self.connection = http.client.HTTPConnection(host, port, timeout=limits.seconds)
        self.connection.sock = self._sock
        self.connection.auto_open = 0  # never a second connection, to an address nobody checked

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._end()

    def is_over(self) -> bool:
        """Whether the time is up: what came since may be cut short."""
        return time.monotonic() > self._deadline

    def _end(self) -> None:
        self._watchdog.cancel()
        self._sock.close()

    def _hang_up(self) -> None:
        """Wakes whoever reads. The base class's method: TLS's own would let the reader take cipher for text."""
        try:
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            return  # it ended by itself


def _unreachable(host: str, *, sent: bool = False) -> Unreachable:
    return Unreachable(_("%(host)s gave no answer that can be used.") % {"host": host[:100]}, sent=sent)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _checked(host: str, port: int, *, ours: bool) -> Address:
    """The host's first address, when all of its addresses may be called. Raises OSError or Unreachable."""
    found = [
        ipaddress.ip_address(str(info[4][0]).partition("%")[0])
        for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ]
    allowed = is_ours if ours else may_be_called
    if not found or not all(map(allowed, found)):
        raise Unreachable(_("%(host)s is not a public address.") % {"host": host[:100]})
    return next((address for address in found if address.version == 4), found[0])


def may_be_called(address: Address) -> bool:
    """Whether the address is public; this machine's own only with CHADAN_SANDBOX=1 (`ipaddress` alone lets tunnels pass)."""
    if address.version == 6 and (inside := getattr(address, "ipv4_mapped", None)):
        address = inside
    if address.is_loopback:
        return get_config().sandbox
    if address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local:
        return False
    return address.is_global and not any(address in net for net in _TUNNELS if net.version == address.version)


def is_ours(address: Address) -> bool:
    """Whether an address that the settings name may be called: public, private or this machine's; never link-local (where
    clouds keep their credentials), multicast or a tunnel.
    """
    if address.version == 6 and (inside := getattr(address, "ipv4_mapped", None)):
        address = inside
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    if address.is_loopback:
        return True
    if any(address in net for net in _TUNNELS if net.version == address.version):
        return False
    return address.is_global or (address.is_private and not address.is_reserved)


def is_loopback(host: str) -> bool:
    """Whether the host as written is this machine."""
    if host in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
