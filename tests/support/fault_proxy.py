"""A loopback proxy in front of the site that loses, repeats, delays, redirects and swaps what gateways and suppliers send."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER_SECONDS = 70


@dataclass(frozen=True)
class Passing:
    """A request on its way."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def names(self, word: str) -> bool:
        """Whether it is about `word`: an address or one of our numbers."""
        return word in self.target or word.encode() in self.body


Answer = tuple[int, dict[str, str], bytes]
Rule = Callable[[Passing], list[Passing]]
"""What arrives in place of a request; nothing for one that is lost."""


@dataclass
class Proxy:
    """Listens on `url` and sends on to 127.0.0.1:`port`. `rules` apply to requests that name their key."""

    port: int
    url: str = ""
    rules: dict[str, Rule] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """What names one of these never arrives."""
    seen: list[tuple[Passing, Answer | None]] = field(default_factory=list)

    def of(self, word: str) -> list[tuple[Passing, Answer | None]]:
        """What passed, or tried to, that names `word`, with the answers of what arrived."""
        return [(passing, answer) for passing, answer in list(self.seen) if passing.names(word)]

    def send(self, passing: Passing) -> Answer:
        """Sends a request to the site, past the rules."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(passing.method, passing.target, passing.body or None, passing.headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def handle(self, passing: Passing) -> Answer | None:
        """The first answer to what the rule lets through; None when nothing arrives or nobody answers."""
        rule = next((rule for word, rule in list(self.rules.items()) if passing.names(word)), None)
        if any(passing.names(word) for word in self.lost):
            rule = _lose
        through = [passing] if rule is None else rule(passing)
        if not through:
            self.seen.append((passing, None))
            return None
        with ThreadPoolExecutor(len(through)) as pool:
            answers = list(pool.map(self._try, through))
        self.seen.extend(zip(through, answers, strict=True))
        return answers[0]

    def _try(self, passing: Passing) -> Answer | None:
        with suppress(OSError, http.client.HTTPException):
            return self.send(passing)
        return None


def _lose(_passing: Passing) -> list[Passing]:
    return []


@contextmanager
def proxy_before(port: int) -> Iterator[Proxy]:
    """A running proxy."""
    proxy = Proxy(port)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            kept = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            answer = proxy.handle(Passing(self.command, self.path, kept, body))
            self.close_connection = True
            if answer is None:
                return
            with suppress(ConnectionError):
                self.send_response(answer[0])
                for name, value in answer[1].items():
                    if name.lower() not in {"connection", "transfer-encoding", "date", "server", "content-length"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer[2])))
                self.end_headers()
                self.wfile.write(answer[2])

        do_GET = do_POST = serve  # noqa: N815 - the base class's names

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
