"""The browser tests' site: `chadan demo` in a process of its own, and a real Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chadan.platform.processes import tied

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
STARTS_WITHIN = 180


@dataclass(frozen=True)
class Site:
    """The running demo."""

    url: str
    accounts: list[dict[str, Any]]
    data: Path

    def account(self, role: str, place: int = 0) -> dict[str, Any]:
        """The demo's account in `role`; `place` picks among several."""
        return [account for account in self.accounts if account["role"] == role][place]


def chromium() -> str | None:
    """Where Chromium is: CHADAN_CHROMIUM, or on PATH."""
    names = (os.environ.get("CHADAN_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`chadan demo` on a free port with its own data; stopped as Ctrl-C stops it."""
    data = tmp_path_factory.mktemp("demo") / "var"
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHADAN_")}
    env |= {"CHADAN_DATA": str(data), "PYTHONPATH": str(ROOT / "src"), "CHADAN_LOG_LEVEL": "WARNING"}
    env["CHADAN_WEB_WORKERS"] = "1"
    log = data.parent / "demo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            tied(sys.executable, "-m", "chadan", "demo", "--port", str(port)),
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz", process, log)
            made = json.loads((data / "demo.json").read_text())
            yield Site(made["url"].rstrip("/"), made["accounts"], data)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until `url` answers 200; fails with the log's end when the process dies or time runs out."""
    import urllib.error
    import urllib.request

    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"the demo did not start:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; the tests are skipped where there is none."""
    path = chromium()
    if path is None:
        pytest.skip("Chromium is not installed: ./chadan test says how to get it")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Any, site: Site) -> Iterator[Callable[..., Any]]:
    """Opens a page of the site: phone or desktop, light or dark, with or without JavaScript. Console errors fail the test."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def opener(*, phone: bool = False, dark: bool = False, javascript: bool = True, axe: bool = False) -> Any:
        context = browser.new_context(
            base_url=site.url,
            viewport=PHONE if phone else DESKTOP,
            color_scheme="dark" if dark else "light",
            locale="zh-CN",
            java_script_enabled=javascript,
            bypass_csp=axe,
            has_touch=phone,
            accept_downloads=True,
        )
        if javascript:
            context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        contexts.append(context)
        return page

    yield opener
    for context in contexts:
        context.close()
    unexpected = [text for text in complaints if "status of 4" not in text]
    assert not unexpected, unexpected


@pytest.fixture
def sign_in(site: Site) -> Callable[..., None]:
    """Signs a page in as one of the demo's accounts through the login form."""

    def signer(page: Any, role: str, place: int = 0) -> None:
        account = site.account(role, place)
        page.goto("/accounts/login/")
        page.fill("input[name=login]", account["username"])
        page.fill("input[name=password]", account["password"])
        page.locator("main form button.primary, main form button[type=submit]").first.click()
        page.wait_for_url(lambda url: "/accounts/login" not in url)

    return signer
