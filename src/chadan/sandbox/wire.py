"""Requests and answers of the sandbox's server, and the fields they carry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a part of the sandbox sees it; `path` is what follows the part's prefix."""

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    """Lower-case names."""
    target: str = ""
    """The request line's path and query as sent, which WeChat's signature covers."""

    def fields(self) -> dict[str, str]:
        """Query and form together; a form's value wins."""
        found = dict(parse_qsl(self.query, keep_blank_values=True))
        if self.method == "POST" and "json" not in self.headers.get("content-type", ""):
            found |= dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        return found

    def json(self) -> dict[str, Any]:
        """The JSON object in the body; raises ValueError or TypeError when there is none."""
        found = json.loads(self.body or b"{}")
        if not isinstance(found, dict):
            raise TypeError("the body is no JSON object")
        return found


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `hang_up` closes the connection instead of sending it."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A callback to send."""

    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Response]


def as_json(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status, json.dumps(value, ensure_ascii=False).encode(), "application/json; charset=utf-8")


def to(url: str) -> Response:
    """Go there."""
    return Response(303, headers={"Location": url})
