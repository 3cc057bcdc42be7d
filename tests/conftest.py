"""Order of the tiers."""

from __future__ import annotations

import pytest

TIERS = ("unit", "integration", "fault", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cheap tiers first, the browser last: Playwright keeps an event loop running, in which Django refuses to query."""
    items.sort(key=lambda item: TIERS.index(item.path.parent.name))
