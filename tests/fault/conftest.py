"""The fault suite: one site of real processes for all of it, and the table of what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.fault_ground import TABLE, Ground, ground_in, table


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder is a fault test."""
    for item in items:
        if item.path.parent.name == "fault":
            item.add_marker(pytest.mark.fault)


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The site, the gateway, the proxy between them, and the hand."""
    with ground_in(tmp_path_factory.mktemp("fault")) as running:
        yield running


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest) -> Iterator[None]:
    """No faults left over from the test before."""
    yield
    if "ground" in request.fixturenames:
        running: Ground = request.getfixturevalue("ground")
        running.proxy.rules.clear()
        for protocol in ("epay1", "epay2", "alipay", "wechat"):
            running.sandbox.clear(protocol=protocol)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints what was injected and what came of it."""
    if TABLE:
        terminalreporter.section("faults")
        for line in table():
            terminalreporter.write_line(line)
