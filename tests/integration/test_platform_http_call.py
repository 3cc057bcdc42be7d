"""Gateways that answer too late, too much, cut short, from elsewhere or with a certificate nobody vouches for."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from chadan.platform import http_call
from chadan.platform.config import get_config
from chadan.platform.http_call import Unreachable

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loopback gateways may be called; proxies are named, and ignored."""
    monkeypatch.setenv("CHADAN_SANDBOX", "1")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    get_config.cache_clear()
    yield
    monkeypatch.undo()
    get_config.cache_clear()


@contextmanager
def answering(
    speak: Callable[[socket.socket, threading.Event], object],
    context: ssl.SSLContext | None = None,
    heard: list[bytes] | None = None,
) -> Iterator[str]:
    """One connection is accepted, its request read, and `speak` answers it."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        try:
            connection, _ = listener.accept()
            if context:
                connection = context.wrap_socket(connection, server_side=True)
            with connection:
                request = connection.recv(65536)
                if heard is not None:
                    heard.append(request)
                speak(connection, over)
        except OSError:
            return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{listener.getsockname()[1]}/api.php?key=SECRET"
    finally:
        over.set()
        listener.close()
        thread.join(5)


def says(answer: bytes) -> Callable[[socket.socket, threading.Event], None]:
    return lambda connection, _over: connection.sendall(answer)


def test_an_answer_is_read_and_a_redirect_is_not_followed() -> None:
    with answering(says(OK + b"X-A: b\r\n\r\nhello")) as url:
        reply = http_call.call("GET", url)
    assert (reply.status, reply.body, reply.headers["x-a"]) == (200, b"hello", "b")
    with answering(says(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n")) as url:
        assert http_call.call("GET", url).status == 302


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        OK + b"Content-Length: 10\r\n\r\nshort",
        OK + b"Content-Length: 10\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        OK + b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000,
        OK + b"\r\n" + b"x" * 2_000_000,
        OK + b"X: " + b"x" * 100_000,
    ],
    ids=["nothing", "nonsense", "short", "empty", "broken chunk", "too long", "endless", "long header"],
)
def test_what_is_no_whole_answer_is_no_answer(answer: bytes) -> None:
    with answering(says(answer)) as url, pytest.raises(Unreachable) as caught:
        http_call.call("GET", url)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", OK + b"\r\n"], ids=["silence", "headers", "body"])
def test_an_answer_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    monkeypatch.setattr(http_call, "TOTAL_SECONDS", 0.4)

    def trickle(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while start and not over.wait(0.1):
            connection.sendall(b"x")
        over.wait(10)

    with answering(trickle) as url, pytest.raises(Unreachable):
        http_call.call("GET", url)


def test_a_handshake_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_call, "TOTAL_SECONDS", 0.3)
    with answering(lambda _connection, over: over.wait(10)) as url, pytest.raises(Unreachable):
        http_call.call("GET", url.replace("http:", "https:"))


def test_the_host_is_named_as_it_stands_in_the_address() -> None:
    heard: list[bytes] = []
    with answering(says(OK + b"\r\n"), heard=heard) as url:
        http_call.call("POST", url, body=b"a=1", headers={"Content-Type": "text/plain"})
    assert b"\r\nHost: " + url.split("/")[2].encode() + b"\r\n" in heard[0]
    assert heard[0].count(b"Host:") == 1


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with answering(says(OK + b"\r\nhello"), context) as url, pytest.raises(Unreachable):
        http_call.call("GET", url)
    http_call._tls.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))  # a vouched-for certificate of another name
        with answering(says(OK + b"\r\nhello"), context) as url, pytest.raises(Unreachable):
            http_call.call("GET", url)
    http_call._tls.cache_clear()
