"""What the unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import translation


@pytest.fixture(scope="module", autouse=True)
def english() -> Iterator[None]:
    """Sentences are compared in English, whatever the site's language; alone, without a site, they are English anyway."""
    if not settings.configured:
        yield
        return
    with translation.override("en"):
        yield
