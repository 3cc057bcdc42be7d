"""What allauth asks us: who a new account is, and how to show a user."""

from __future__ import annotations

from typing import Any, NamedTuple

from allauth.account.adapter import DefaultAccountAdapter
from django.utils.translation import gettext as _

from chadan.accounts.client_ip import client_ip
from chadan.accounts.models import Buyer, User


class _Site(NamedTuple):
    """What allauth's mails say of the site."""

    name: str
    domain: str


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Every account that signs up is a buyer; other capacities are given by merchants and the platform."""

    def save_user(self, request: Any, user: User, form: Any, commit: bool = True) -> User:
        """Saves the user and its buyer record."""
        saved: User = super().save_user(request, user, form, commit)
        if commit:
            Buyer.objects.get_or_create(user=saved, defaults={"login": saved.username, "name": str(saved)})
        return saved

    def format_email_subject(self, subject: str) -> str:
        """Names Chadan, not the host: the address in front is the installation's affair."""
        return f"[{_('Chadan')}] {subject}"

    def render_mail(self, template_prefix: str, email: Any, context: dict[str, Any], headers: Any = None) -> Any:
        """A mail that greets from Chadan; its last line keeps the site's address."""
        site = _Site(_("Chadan"), context["current_site"].domain)
        return super().render_mail(template_prefix, email, {**context, "current_site": site}, headers)

    def get_client_ip(self, request: Any) -> str:
        """The address login attempts are counted by."""
        return str(client_ip(request.META) or "unknown")


def display_name(user: User) -> str:
    """How a user is called on pages."""
    return str(user)
