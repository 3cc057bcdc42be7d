"""The pages about oneself: profile, sign-in, API keys, and the staff of one's shop."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chadan.accounts.actors import Actor, Permission
from chadan.accounts.models import Role

_PAGES = (
    (_("Profile"), "/account", ()),
    (_("Email"), "/accounts/email/", ()),
    (_("Password"), "/accounts/password/", ()),
    (_("Two-step sign-in"), "/accounts/2fa/", ()),
    (_("API keys"), "/keys", (Permission.KEYS,)),
    (_("Staff"), "/m/staff", ("owner",)),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """A link of the account pages' tabs."""

    text: str
    url: str
    active: bool
    count: int | None = None


def account_menu(request: HttpRequest) -> list[Tab]:
    """The tabs the visitor may open; none for somebody signed out."""
    if not request.user.is_authenticated:
        return []
    actor: Actor | None = getattr(request, "actor", None) or None
    held = set(actor.permissions) if actor else set()
    names: set[str] = {*held, *(("owner",) if actor and actor.merchant_id and actor.role == Role.OWNER else ())}
    return [
        Tab(str(text), "/accounts/password/change/" if url == "/accounts/password/" else url, _at(request.path, url))
        for text, url, needs in _PAGES
        if names.issuperset(needs)
    ]


def _at(path: str, url: str) -> bool:
    return path == url or path.startswith(f"{url.rstrip('/')}/")
