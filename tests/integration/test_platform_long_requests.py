"""What a client sees that sends far too much, over a real socket: the server's limits are not Django's."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.waiting import eventually

from chadan.platform.processes import tied

pytestmark = pytest.mark.integration
PAGE, API = "/m/orders", "/api/v1/orders"


@pytest.fixture(scope="module")
def port(database, data_folder: Path) -> Iterator[int]:
    """The web process alone, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    settings = {"CHADAN_DATA": str(data_folder), "CHADAN_LISTEN": f"127.0.0.1:{number}", "CHADAN_WEB_WORKERS": "1"}
    process = subprocess.Popen(
        tied(sys.executable, "-m", "chadan.platform.web_server"),
        env={**os.environ, **settings, "CHADAN_LOG_LEVEL": "ERROR"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: process.poll() is None and b" 200 " in exchange(number, "/healthz")[:15], "the web process")
        yield number
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@pytest.fixture(scope="module")
def visitor(database) -> tuple[str, str]:
    """The headers of somebody signed in, and of an API key."""
    from django.test import Client
    from tests.support.people import acting, make_shop

    from chadan.api.keys import create_key

    owner = make_shop(0).staff["owner"]
    client = Client()
    client.force_login(owner)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return f"Cookie: {cookies}", f"Authorization: Bearer {create_key(acting(owner), 'long', ['orders:read'])[0]}"


def exchange(port: int, target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    """The whole answer, read while the request is still being sent; the server may stop reading it."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *headers]
    if body:
        lines += [f"Content-Length: {len(body)}", "Content-Type: application/x-www-form-urlencoded"]
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    except ConnectionRefusedError:
        return b""

    def send() -> None:
        try:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        except (BrokenPipeError, ConnectionResetError):
            return  # it has answered already

    with connection:
        sender = threading.Thread(target=send)
        sender.start()
        parts = []
        try:
            while part := connection.recv(65_536):
                parts.append(part)
        except ConnectionResetError:
            pass
        sender.join()
    return b"".join(parts)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_value_the_application_sees_gets_a_sentence(port: int, visitor: tuple[str, str]) -> None:
    cookie, key = visitor
    page = exchange(port, f"{PAGE}?q={'a' * 60_000}", cookie)
    assert status(page) == 200 and re.search(r'class="[^"]*alert|field-error', page.decode())
    problem = exchange(port, f"{API}?q={'a' * 60_000}", key, "Accept-Language: en")
    assert status(problem) == 422 and b"application/problem+json" in problem
    assert "500 characters" in json.loads(re.search(rb"\{.*\}", problem)[0])["detail"]


def test_an_address_too_long_to_come_back_to_after_the_login_is_said_to_be(port: int) -> None:
    answer = exchange(port, f"{PAGE}?q={'a' * 60_000}")
    assert status(answer) == 414 and "网址过长" in answer.decode()


@pytest.mark.parametrize(("size", "code"), [(100_000, 414), (1_000_000, 431), (10_000_000, 431)])
def test_a_longer_address_is_refused_by_the_server_at_once(port: int, visitor, size: int, code: int) -> None:
    for path, header in zip((PAGE, API), visitor, strict=True):
        answer = exchange(port, f"{path}?q={'a' * size}", header)
        assert status(answer) == code and b"connection: close" in answer
    assert status(exchange(port, "/healthz")) == 200, "the server goes on"


def test_a_form_too_large_gets_the_page_that_says_so(port: int, visitor: tuple[str, str]) -> None:
    cookie = f"{visitor[0]}; chadan_csrf={'a' * 32}"
    answer = exchange(port, "/account", cookie, method="POST", body=b"display_name=" + b"x" * 10_000_000)
    assert status(answer) == 413 and "内容过大" in answer.decode() and "销售订单" in answer.decode()
