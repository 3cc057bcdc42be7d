"""What the integration tests share: one embedded PostgreSQL for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chadan.platform.config import Address, load
from chadan.platform.postgres import database_running


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """The owner login of a fresh embedded server; it may create databases and roles."""
    config = load({"CHADAN_DATA": str(tmp_path_factory.mktemp("postgres") / "var")})
    with database_running(config) as owner:
        yield owner
