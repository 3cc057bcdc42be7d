"""Requests through the WSGI application itself, so that /api/ takes its own short middleware."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def request(
    path: str, key: str = "", method: str = "GET", params: Any = (), ip: str = "127.0.0.1", **headers: str
) -> Answer:
    """The application's answer; `key` is sent as the bearer, `headers` as environment entries."""

    from chadan.platform.wsgi import application

    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": params if isinstance(params, str) else urlencode(list(params), doseq=True),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": ip,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        **headers,
    }
    if key:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    started: list[Any] = []
    response = application(environ, lambda status, given, _exc_info=None: started.extend((status, given)))
    body = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    return Answer(int(started[0].split()[0]), dict(started[1]), body)
