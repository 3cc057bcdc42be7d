"""Where a passkey or a security key can be used: nothing else offers one."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from django import template
from django.http import HttpRequest

from chadan.accounts.models import User

register = template.Library()


@register.simple_tag(takes_context=True)
def passkeys_work(context: template.Context) -> bool:
    """Whether browsers allow passkeys at this address: a name (never a bare IP address), over https or on localhost."""
    request: HttpRequest = context["request"]
    host = urlsplit(f"//{request.get_host()}").hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return request.is_secure() or host == "localhost" or host.endswith(".localhost")
    return False


@register.simple_tag(takes_context=True)
def second_steps(context: template.Context, user: User) -> list[str]:
    """The kinds of second step this user has set up and can use at this address."""
    held = list(Authenticator.objects.filter(user=user).values_list("type", flat=True).distinct())
    return held if passkeys_work(context) else [kind for kind in held if kind != Authenticator.Type.WEBAUTHN]
