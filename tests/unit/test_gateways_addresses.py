"""Which addresses a gateway may have."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from chadan.platform import http_call
from chadan.platform.config import get_config, load
from chadan.platform.errors import ConfigError
from chadan.platform.http_call import Unreachable

PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["1.1.1.1", "110.75.244.1", "2606:4700::1111", "::ffff:1.1.1.1"]


@pytest.fixture(autouse=True)
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHADAN_SANDBOX", raising=False)
    get_config.cache_clear()


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_inside_are_not_called(address: str) -> None:
    assert not http_call.may_be_called(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert http_call.may_be_called(ipaddress.ip_address(address))


def test_the_sandbox_allows_loopback_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHADAN_SANDBOX", "1")
    get_config.cache_clear()
    allowed = {address for address in PRIVATE if http_call.may_be_called(ipaddress.ip_address(address))}
    get_config.cache_clear()
    assert allowed == {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["1.1.1.1", "127.0.0.1"], []])
def test_a_name_with_one_address_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    def resolve(_host: str, port: int, **_more: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def connect(*_args: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable, match=r"pay\.example\.com"):
        http_call.call("GET", "https://pay.example.com/api.php?key=SECRET")


def test_the_name_is_resolved_once_and_the_checked_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])
    connected: list[object] = []

    def resolve(_host: str, port: int, **_more: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    def connect(address: object, *_more: object) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable) as caught:
        http_call.call("GET", "https://pay.example.com/api.php?key=SECRET")
    assert connected == [("1.1.1.1", 443)]
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["ftp://pay.example.com/", "file:///etc/passwd", "https:///x", "http://1.1.1.1/", "x", ""]
)
def test_only_https_is_called(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_: [(2, 1, 6, "", (host or "127.0.0.1", port))] if host else []
    )
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("connected"))
    with pytest.raises(Unreachable):
        http_call.call("GET", url)


def test_the_sandbox_stays_on_this_machine() -> None:
    assert load({"CHADAN_SANDBOX": "1"}).sandbox
    with pytest.raises(ConfigError, match="CHADAN_SANDBOX"):
        load({"CHADAN_SANDBOX": "1", "CHADAN_LISTEN": "0.0.0.0:8000"})
