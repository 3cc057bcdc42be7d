"""API keys: made, recognised, revoked. Only a key's SHA-256 is stored."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any, cast

import psycopg
from django.db import connections
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chadan.accounts.actors import Actor, Permission, asks_of, permissions_of
from chadan.api.models import ApiKey
from chadan.platform.errors import ChadanError, Forbidden, InvalidInput, NotFound
from chadan.platform.scope import Matter, RowCursor, Scope, execute

PREFIX = "cd_live_"
READ, COST, ACCOUNTS, BATCH, SUPPLY = "orders:read", "orders:cost", "orders:accounts", "orders:batch", "supply"
ORGANISE = "orders:organise"
SCOPES = {
    READ: gettext_lazy("Read orders"),
    COST: gettext_lazy("See cost, fee, profit and supplier"),
    ACCOUNTS: gettext_lazy("See top-up accounts unmasked"),
    ORGANISE: gettext_lazy("Save views, make and change tags"),
    BATCH: gettext_lazy("Prepare, confirm and undo batch actions on orders"),
    SUPPLY: gettext_lazy("Buy from shops as their agent, from the wallets there"),
}
"""Everything a key may be allowed, each at most as far as its owner's role goes."""
_NEEDS = {COST: Permission.SEE_COST, ACCOUNTS: Permission.REVEAL, BATCH: Permission.TAG, SUPPLY: Permission.MANAGE}
"""Of a batch each action asks for its own permission besides; who may not even tag has no shop to act for."""
_SHAPE = re.compile(r"cd_live_[A-Za-z0-9_-]{43}")
MAX_IPS = 50


class Unauthorized(ChadanError):
    """No key, or one that is unknown, revoked or expired."""

    code = "unauthorized"
    status = 401


@dataclass(frozen=True, slots=True)
class KeyActor:
    """Whoever a key acts for, and what the key allows of it."""

    key_id: int
    actor: Actor
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether both the key and its owner's role allow `scope`."""
        needed = _NEEDS.get(scope)
        return scope in self.scopes and (needed is None or needed in self.actor.permissions)

    def require(self, scope: str) -> None:
        """Raises Forbidden unless the key may."""
        if not self.may(scope):
            raise Forbidden(_("This API key lacks the scope %(scope)s.") % {"scope": scope})


def grantable(actor: Actor) -> list[str]:
    """The scopes `actor` may give to a key."""
    return [scope for scope in SCOPES if scope not in _NEEDS or actor.may(_NEEDS[scope])]


def create_key(
    actor: Actor,
    name: str,
    scopes: Sequence[str] = (READ,),
    expires_at: datetime | None = None,
    ips: Sequence[str] = (),
) -> tuple[str, ApiKey]:
    """A new key that acts for `actor` in its present capacity: the secret, shown this once, and its record.

    `ips` are addresses or networks it is accepted from, none: from anywhere. Raises Forbidden when the role may have no
    keys, InvalidInput for an empty name, an unknown or forbidden scope, a past expiry, a malformed address.
    """
    actor.require(Permission.KEYS)
    name = name.strip()
    if not 0 < len(name) <= 100:
        raise InvalidInput(_("Give the key a name of at most 100 characters."), field="name")
    for scope in scopes:
        if scope not in grantable(actor):
            raise InvalidInput(_("Your role cannot grant the scope %(scope)s.") % {"scope": scope}, field="scopes")
    if not scopes:
        raise InvalidInput(_("Choose at least one scope."), field="scopes")
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput(_("The expiry lies in the past."), field="expires_at")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        user_id=actor.user_id,
        capacity=actor.kind,
        merchant_id=actor.merchant_id,
        name=name,
        scopes=sorted(set(scopes)),
        digest=_digest(secret),
        last4=secret[-4:],
        ips=networks(ips),
        expires_at=expires_at,
    )
    return secret, key


def networks(texts: Sequence[str]) -> list[str]:
    """Addresses and networks in canonical form. Raises InvalidInput for the first malformed one."""
    found: dict[str, None] = {}
    for text in filter(None, (part.strip() for part in texts)):
        try:
            found[str(ip_network(text, strict=False))] = None
        except ValueError as error:
            raise InvalidInput(
                _("%(text)s is not an IP address or network.") % {"text": text[:60]}, field="ips"
            ) from error
    if len(found) > MAX_IPS:
        raise InvalidInput(_("A key takes at most %(max)s addresses.") % {"max": MAX_IPS}, field="ips")
    return list(found)


def keys_of(actor: Actor) -> list[ApiKey]:
    """The keys of the actor's capacity, newest first: a shop's owners see all of the shop's keys."""
    actor.require(Permission.KEYS)
    return list(_visible(actor).select_related("user").order_by("-id"))


def revoke_key(actor: Actor, key_id: int) -> None:
    """Ends a key for good. Raises NotFound for another's key as for one that does not exist."""
    actor.require(Permission.KEYS)
    if not _visible(actor).filter(pk=key_id).exists():
        raise NotFound(_("There is no such API key."))
    _visible(actor).filter(pk=key_id, revoked_at=None).update(revoked_at=timezone.now())


def _visible(actor: Actor) -> Any:
    if actor.merchant_id is not None:
        return ApiKey.objects.filter(merchant_id=actor.merchant_id)
    return ApiKey.objects.filter(user_id=actor.user_id, capacity=actor.kind, merchant=None)


_FIND = """
select k.id, k.user_id, k.capacity, k.merchant_id, k.scopes::text, k.ips::text,
       k.revoked_at is null and coalesce(k.expires_at > now(), true),
       coalesce(k.last_used_at < now() - interval '1 minute', true),
       u.is_active, u.is_operator, coalesce(nullif(u.display_name, ''), u.username),
       s.role, m.home, m.name, m.is_agent, b.id
  from api_keys k
  join users u on u.id = k.user_id
  left join merchants m on m.id = k.merchant_id
  left join memberships s on s.user_id = k.user_id and s.merchant_id = k.merchant_id
  left join buyers b on b.user_id = k.user_id and k.capacity = 'buyer'
 where k.digest = %b"""
# Skipping a locked row: of many requests in the same minute one writes and none waits.
_USED = (
    "update api_keys set last_used_at = now() where id ="
    " (select id from api_keys where id = %s for no key update skip locked)"
)


def authenticate(
    bearer: str,
    ip: IPv4Address | IPv6Address | None,
    execute: Callable[[str, Sequence[Any]], Any],
) -> KeyActor:
    """Whoever the Authorization header `bearer` speaks for, in one statement (two once a minute).

    `execute(sql, params)` runs it and returns a cursor. Raises Unauthorized for an unknown, revoked or expired key, and
    Forbidden for a key used from elsewhere or whose owner has lost the account or the role.
    """
    scheme, _space, secret = bearer.partition(" ")
    if scheme.lower() != "bearer" or not _SHAPE.fullmatch(secret):
        raise Unauthorized(_("Send an API key: Authorization: Bearer cd_live_…"))
    row = execute(_FIND, (_digest(secret),)).fetchone()
    if row is None or not row[6]:
        raise Unauthorized(_("This API key is unknown, revoked or expired."))
    allowed = json.loads(row[5])
    if allowed and (ip is None or not any(ip in ip_network(network) for network in allowed)):
        raise Forbidden(_("This API key is not accepted from this address."))
    scopes = frozenset(json.loads(row[4]))
    found = KeyActor(row[0], _narrowed(_actor(row), scopes), scopes)
    if row[7]:
        execute(_USED, (row[0],))
    return found


def _narrowed(actor: Actor, scopes: frozenset[str]) -> Actor:
    """The capacity as far as the key goes: without COST it may not even ask about what the shop earns and from whom it buys."""
    if COST in scopes:
        return actor
    return replace(actor, scope=replace(actor.scope, asks=actor.scope.asks & {Matter.TAG}))


def _actor(row: tuple[Any, ...]) -> Actor:
    """The capacity of a found key. Raises Forbidden when its user no longer holds it."""
    user_id, kind, merchant_id = row[1:4]
    active, is_operator, name, role, home, label, is_agent, buyer_id = row[8:16]
    if kind == "merchant" and role:
        scope = Scope(merchants=(merchant_id,), homes=(home,))
    elif kind == "operator" and is_operator:
        role, scope = "platform", Scope(operator=True)
    elif kind == "buyer" and buyer_id is not None:
        role, scope = "buyer", Scope(buyer=buyer_id)
    else:
        active = False
    if not active:
        raise Forbidden(_("The owner of this API key no longer has this role."))
    permissions = permissions_of(kind, role)
    return Actor(
        user_id=user_id,
        name=name,
        kind=kind,
        role=role,
        scope=replace(scope, asks=asks_of(kind, permissions)),
        permissions=permissions,
        label=label or "",
        merchant_id=merchant_id,
        home=home,
        is_agent=bool(is_agent),
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def run_here(sql: str, params: Sequence[Any]) -> RowCursor:
    """What `authenticate` takes to run its statements: this thread's connection, opened when it is not."""
    wrapper = connections["default"]
    wrapper.close_if_health_check_failed()
    wrapper.ensure_connection()
    raw = cast("psycopg.Connection[tuple[Any, ...]]", wrapper.connection)
    return execute(raw, sql, params)
