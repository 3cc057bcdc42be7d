"""Order of the tiers."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# How fast a property is tried is the machine's affair; a failure prints what reproduces it.
settings.register_profile("chadan", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("chadan")

TIERS = ("integration", "fault", "unit", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The database first: its settings are the run's. The browser last: Playwright keeps an event loop running, in which
    Django refuses to query.
    """
    if settings_named := os.environ.get("DJANGO_SETTINGS_MODULE"):
        raise pytest.UsageError(
            f"a test module names Django's settings ({settings_named}) when it is imported: import inside tests"
        )
    items.sort(key=lambda item: TIERS.index(item.path.parent.name))


@pytest.fixture(autouse=True)
def environment_stays() -> Iterator[None]:
    """A test that names Django's settings, as the command line does, names them for itself only."""
    before = os.environ.get("DJANGO_SETTINGS_MODULE")
    yield
    if before is None:
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    else:
        os.environ["DJANGO_SETTINGS_MODULE"] = before
