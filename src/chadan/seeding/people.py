"""The demo's people: who may log in, with passwords and API keys that differ from one installation to the next."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any, NamedTuple

from chadan.accounts.actors import Permission, actors_of
from chadan.accounts.models import Buyer, Membership, Merchant, Role, User
from chadan.platform.errors import Conflict
from chadan.seeding.names import FIXED, SHOPS
from chadan.seeding.settle import SOURCE

SHOP_A, SHOP_B, AGENT, SIDE_SHOP = (SHOPS[place][1] for place in (0, 1, 2, 3))


class Account(NamedTuple):
    """One of the demo's logins; `staff` are (shop's slug, role) pairs. The buyers exist since the seed."""

    role: str
    username: str
    name: str
    staff: tuple[tuple[str, Role], ...] = ()
    operator: bool = False


PEOPLE = (
    Account("operator", "operator", "平台运营", operator=True),
    Account("merchant", SHOP_A, "星河老板", ((SHOP_A, Role.OWNER),)),
    Account("merchant", SHOP_B, "闪电老板", ((SHOP_B, Role.OWNER),)),
    Account("agent", AGENT, "万象老板", ((AGENT, Role.OWNER),)),
    Account("buyer", *FIXED[0]),
    Account("buyer", *FIXED[1]),
    Account("merchant_operator", f"{SHOP_A}-operator", "运营老李", ((SHOP_A, Role.OPERATOR),)),
    Account("merchant_finance", f"{SHOP_A}-finance", "财务小周", ((SHOP_A, Role.FINANCE),)),
    Account("merchant_support", f"{SHOP_A}-support", "客服小王", ((SHOP_A, Role.SUPPORT),)),
    # One person, several capacities: a buyer who owns a small shop and works for two others.
    Account(
        "several",
        *FIXED[2],
        ((SHOP_A, Role.SUPPORT), (SHOP_B, Role.OPERATOR), (SIDE_SHOP, Role.OWNER)),
    ),
)


def settle_people(file: Path, url: str) -> list[dict[str, Any]]:
    """Makes the accounts (or finds them again, with the passwords in `file`) and writes `file`, readable by its owner only.

    What else stands in `file` is kept. Raises Conflict when the database's orders are not the demo's.
    """
    shops = {shop.slug: shop for shop in Merchant.objects.filter(source=SOURCE)}
    buyers = set(
        Buyer.objects.filter(realm="", login__in=[login for login, _name in FIXED]).values_list("login", flat=True)
    )
    if not {SHOP_A, SHOP_B, AGENT, SIDE_SHOP} <= shops.keys() or len(buyers) < len(FIXED):
        raise Conflict(
            "This database holds orders that are not the demo's.",
            hint="Give the demo its own CHADAN_DATA, or use ./chadan serve.",
        )
    known = read_file(file)
    before = _accounts_in(known)
    accounts = [_account(person, shops, before.get(person.username, {})) for person in PEOPLE]
    write_file(file, {**known, "url": url, "accounts": accounts})
    return accounts


def table(accounts: list[dict[str, Any]]) -> str:
    """The accounts for a terminal."""
    lines = [f"{'role':<18} {'username':<18} password"]
    lines += [f"{account['role']:<18} {account['username']:<18} {account['password']}" for account in accounts]
    return "\n".join(lines)


def _account(person: Account, shops: dict[str, Merchant], before: dict[str, Any]) -> dict[str, Any]:
    user, _made = User.objects.get_or_create(
        username=person.username, defaults={"email": f"{person.username}@example.com"}
    )
    password = str(before.get("password") or secrets.token_urlsafe(12))
    changed = not user.has_usable_password() or not user.check_password(password)
    if changed or user.is_operator != person.operator or user.display_name != person.name:
        if changed:
            user.set_password(password)
        user.is_operator, user.display_name = person.operator, person.name
        user.save()
    for slug, role in person.staff:
        Membership.objects.update_or_create(user=user, merchant=shops[slug], defaults={"role": role})
    return {
        "role": person.role,
        "username": person.username,
        "password": password,
        "api_key": _key(user, str(before.get("api_key") or "")),
        "capacities": [{"key": actor.key, "role": actor.role, "label": actor.label} for actor in actors_of(user)],
    }


def _key(user: User, before: str) -> str | None:
    """An API key of the user's first capacity that may have one; the one of last time if it still works."""
    from chadan.api.keys import create_key, grantable
    from chadan.api.models import ApiKey

    digest = hashlib.sha256(before.encode()).digest()
    if before and ApiKey.objects.filter(user=user, digest=digest, revoked_at=None).exists():
        return before
    actor = next((actor for actor in actors_of(user) if actor.may(Permission.KEYS)), None)
    return None if actor is None else create_key(actor, "demo", grantable(actor))[0]


def _accounts_in(known: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Last time's accounts by user name; none when somebody broke the file."""
    try:
        return {account["username"]: account for account in known["accounts"]}
    except (KeyError, TypeError):
        return {}


def read_file(file: Path) -> dict[str, Any]:
    """What the demo's file says; nothing when there is none or somebody broke it."""
    try:
        known = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def write_file(file: Path, value: dict[str, Any]) -> None:
    """Replaces the demo's file; only its owner may read it."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    temporary.replace(file)
