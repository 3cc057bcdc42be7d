"""A buyer without an account, in front of the site: cookies, forms, clicks."""

from __future__ import annotations

import http.client
import itertools
import re
import secrets
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

_ADDRESSES = itertools.count(1)
TIMEOUT = 70


class Answer(NamedTuple):
    """What the site answered."""

    status: int
    location: str
    body: str


@dataclass
class Guest:
    """One browser with an address and a phone number of its own."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    address: str = field(default_factory=lambda: address_of(next(_ADDRESSES)))
    contact: str = field(default_factory=lambda: f"138{secrets.randbelow(10**8):08d}")

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> Answer:
        """One request. Raises OSError or HTTPException when nobody answers."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
        headers = {"X-Forwarded-For": self.address, "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode({"csrfmiddlewaretoken": self.cookies.get("chadan_csrf", ""), **fields})
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            for value in answer.headers.get_all("Set-Cookie") or []:
                name, _, rest = value.partition("=")
                self.cookies[name.strip()] = rest.partition(";")[0]
            return Answer(answer.status, answer.headers.get("Location", ""), text)
        finally:
            connection.close()

    def form(self, product: str) -> dict[str, str]:
        """The order form of a product's page, filled in. Raises AssertionError for another page."""
        page = self.ask("GET", product)
        assert page.status == 200, page.status
        hidden = dict(re.findall(r'<input type="hidden" name="(token|price|quantity)" value="([^"]*)"', page.body))
        return {"quantity": "1", "contact": self.contact, "f-phone": "13812345678", **hidden}

    def order(self, product: str, **typed: str) -> int:
        """Orders; returns the number."""
        answer = self.ask("POST", product, {**self.form(product), **typed})
        return number_in(answer)

    def start(self, order_no: int, channel: int) -> Answer:
        """Starts to pay."""
        return self.ask("POST", f"/pay/{order_no:019d}/start", {"channel": str(channel)})


def number_in(answer: Answer) -> int:
    """The order a placement leads to."""
    found = re.search(r"/(\d{19})", answer.location)
    assert found, (answer.status, answer.location, re.findall(r'role="alert".{0,300}', answer.body, re.DOTALL))
    return int(found[1])


def address_of(count: int) -> str:
    """An address for every buyer: limits are counted by address."""
    return str(IPv4Address("10.0.0.0") + count)
