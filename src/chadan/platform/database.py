"""Where the database is and who logs in to it (docs/explanation/architecture.md, Database roles)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Any

from chadan.platform.config import Address, Config

STATEMENT_SECONDS = 60
"""How long one statement of web and jobs may take."""
LOCK_SECONDS = 4
"""How long web and jobs wait for a row somebody else holds: gateways give up on an answer after 5 seconds, and ask again."""
PREPARE_AFTER = 5
"""A connection that has run a statement so often has it prepared: psycopg's own default, which Django turns off."""


def app_role(database: str) -> str:
    """The role web, worker and API log in as: under row-level security, owning nothing."""
    return f"{database}_app"


def search_role(database: str) -> str:
    """The role fragment and tag searches switch to: no login, reads orders past row-level security."""
    return f"{database}_search"


def app_address(config: Config, owner: Address) -> Address:
    """The app role's login on the owner's database; its password follows from the secret key, so nothing is stored."""
    seed = f"database app role {owner.name}".encode()
    password = hmac.new(config.secret_key.encode(), seed, hashlib.sha256).hexdigest()
    return replace(owner, user=app_role(owner.name), password=password)


def django_databases(config: Config, owner: Address | None = None) -> dict[str, dict[str, Any]]:
    """Django's DATABASES: `default` is the app role, `owner` runs migrations, partitions and bulk seeding.

    Statements often repeated are prepared in the embedded server; another may stand behind a connection pooler, which
    need not know them.
    """
    owner = owner or config.external
    if owner is None:
        from chadan.platform.postgres import owner_address

        owner = owner_address(config)
    return {
        "default": _entry(
            app_address(config, owner),
            health_checks=True,
            prepare_threshold=None if config.external else PREPARE_AFTER,
            statement_seconds=STATEMENT_SECONDS,
            lock_seconds=LOCK_SECONDS,
        ),
        "owner": _entry(owner, health_checks=False),
    }


def _entry(
    address: Address,
    *,
    health_checks: bool,
    prepare_threshold: int | None = None,
    statement_seconds: int = 0,
    lock_seconds: int = 0,
) -> dict[str, Any]:
    """Without limits (0) by default: a migration of ten million orders builds an index for minutes."""
    return {
        "ENGINE": "chadan.platform.backend",
        "HOST": address.host,
        "PORT": address.port,
        "NAME": address.name,
        "USER": address.user,
        "PASSWORD": address.password,
        "TIME_ZONE": "Asia/Shanghai",  # rows arrive in the time zone they are shown in
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": health_checks,
        "OPTIONS": {
            **dict(address.options),
            "application_name": "chadan",
            "connect_timeout": 10,
            "prepare_threshold": prepare_threshold,
            # A generic plan of a list is 3 times slower, of LIKE $1 40 times (DESIGN §4).
            "options": "-c plan_cache_mode=force_custom_plan"
            f" -c statement_timeout={statement_seconds * 1000} -c lock_timeout={lock_seconds * 1000}"
            " -c idle_in_transaction_session_timeout=600000 -c timezone=Asia/Shanghai",
        },
    }
