"""An OpenAI-compatible server on loopback that answers, or misbehaves, as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Speak = Callable[[BaseHTTPRequestHandler, threading.Event], None]


@dataclass
class FakeModel:
    """Its address, what it was sent, and how it answers the next request."""

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    speak: Speak = lambda handler, _over: say(handler, b"{}")
    over: threading.Event = field(default_factory=threading.Event)

    def assigns(self, *given: Any) -> None:
        """From now on it answers with these assignments."""
        self.content(json.dumps({"assignments": list(given)}, ensure_ascii=False))

    def content(self, content: Any) -> None:
        """From now on it answers with this message."""
        answer = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()
        self.speak = lambda handler, _over: say(handler, answer)

    def raw(self, body: bytes, status: int = 200) -> None:
        """From now on it answers with these bytes."""
        self.speak = lambda handler, _over: say(handler, body, status)

    def question(self) -> dict[str, Any]:
        """What it was asked last, beside its instructions."""
        asked: dict[str, Any] = json.loads(self.heard[-1]["messages"][1]["content"])
        return asked


def say(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    """A whole answer."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def assignment(words: str, slot: str, value: str | None = None, *, exclude: bool = False) -> dict[str, Any]:
    return {"words": words, "slot": slot, "value": value, "exclude": exclude}


@contextmanager
def model_served() -> Iterator[FakeModel]:
    """The server, for the length of the block."""
    model = FakeModel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            model.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            model.keys.append(self.headers.get("Authorization", ""))
            try:
                model.speak(self, model.over)
            except OSError:
                return  # the caller hung up

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield model
    finally:
        model.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
