"""What the integration tests share: one embedded PostgreSQL for the whole run, and Django set up against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.support.generate_orders import World, generate

from chadan.platform.config import Address, get_config, load
from chadan.platform.postgres import database_running


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's CHADAN_DATA."""
    return tmp_path_factory.mktemp("postgres") / "var"


@pytest.fixture(scope="session")
def postgres(data_folder: Path) -> Iterator[Address]:
    """The owner login of a fresh embedded server; it may create databases and roles."""
    with database_running(load({"CHADAN_DATA": str(data_folder)})) as owner:
        yield owner


@pytest.fixture(scope="session")
def database(postgres: Address, data_folder: Path) -> Iterator[Address]:
    """The same server, migrated, with Django ready: the ORM, `scoped(...)` and django.test.Client work.

    The tests of a run share its rows: each makes the merchants and users it needs (tests.support.people).
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CHADAN_")]:
            patch.delenv(name)
        patch.setenv("CHADAN_DATA", str(data_folder))
        patch.setenv("DJANGO_SETTINGS_MODULE", "chadan.platform.settings")
        get_config.cache_clear()
        from chadan.platform.migrate import migrate

        migrate(postgres)
        from django.db import connections
        from django.test.utils import setup_test_environment, teardown_test_environment

        setup_test_environment()
        yield postgres
        teardown_test_environment()
        connections.close_all()
    get_config.cache_clear()


@pytest.fixture(scope="session")
def world(database: Address) -> World:
    """A small world of orders with every value that provokes, to hold against the plain evaluator."""
    with psycopg.connect(
        host=database.host, port=database.port, dbname=database.name, user=database.user, password=database.password
    ) as owner:
        return generate(owner)
