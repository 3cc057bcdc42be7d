"""Who asks in the benches: the demo's people, made in the bench database, with a session and a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chadan.bench.sites import Site


@dataclass(frozen=True, slots=True)
class Person:
    """A login with its API key and a session cookie of the pages."""

    username: str
    key: str
    cookie: str

    @property
    def api(self) -> dict[str, str]:
        """Headers of an API request."""
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def pages(self) -> dict[str, str]:
        """Headers of a page's request, as a browser set to Chinese sends them."""
        return {"Cookie": self.cookie, "Accept-Language": "zh-CN,zh;q=0.9", "Accept": "text/html"}


def people(site: Site) -> dict[str, Person]:
    """The owner of the largest shop, by role `merchant`, and the `operator`."""
    from django.conf import settings
    from django.test import Client

    from chadan.accounts.models import User
    from chadan.seeding.people import settle_people

    site.enter()
    found: dict[str, Person] = {}
    accounts: list[dict[str, Any]] = settle_people(site.config.data / "demo.json", "http://127.0.0.1")
    for account in accounts:
        if account["role"] in ("merchant", "operator") and account["role"] not in found:
            client = Client()
            client.force_login(User.objects.get(username=account["username"]))
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            found[account["role"]] = Person(
                account["username"], account["api_key"], f"{settings.SESSION_COOKIE_NAME}={session}"
            )
    return found
