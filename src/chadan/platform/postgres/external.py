"""Checks a PostgreSQL server that is not ours."""

from __future__ import annotations

import psycopg

from chadan.platform.config import Address
from chadan.platform.errors import DatabaseUnavailable

OLDEST = 15


def check_external(address: Address) -> int:
    """The server's version number (150004 for 15.4). Raises DatabaseUnavailable if it is unreachable or too old."""
    try:
        with psycopg.connect(
            host=address.host,
            port=address.port,
            dbname=address.name,
            user=address.user,
            password=address.password,
            **{"connect_timeout": "10", **dict(address.options)},  # type: ignore[arg-type]
        ) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise DatabaseUnavailable(
            f"Cannot connect to the database at {address.host}:{address.port}: {reason}",
            hint="Check CHADAN_DATABASE_URL and that the server is running.",
        ) from error
    if version < OLDEST * 10000:
        raise DatabaseUnavailable(
            f"The database server at {address.host}:{address.port} is PostgreSQL {version // 10000}.{version % 10000}; "
            f"Chadan needs version {OLDEST} or newer.",
            hint="Point CHADAN_DATABASE_URL at a newer server, or unset it to use the embedded one.",
        )
    return version
