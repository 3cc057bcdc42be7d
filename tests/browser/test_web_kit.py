"""The component gallery in Chromium: no accessibility violation, nothing wider than the screen, scripts and no scripts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from chadan.platform.processes import tied

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser
PAGES = ["_kit", "_kit/list", "_kit/detail", "_kit/sign-in"]
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = tied(sys.executable, "-m", "tests.support.kit_server")
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.terminate()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport=DESKTOP, locale="zh-CN") as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert not complaints, complaints


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")]
)
def test_a_page_is_accessible_and_fits(browser: Browser, site: str, path: str, viewport: Any, scheme: Any) -> None:
    with browser.new_context(viewport=viewport, color_scheme=scheme, locale="zh-CN", bypass_csp=True) as context:
        page = context.new_page()
        answer = page.goto(f"{site}/{path}")
        assert answer
        assert answer.ok
        expect(page.locator("html")).to_have_class(re.compile("js"))
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        violations = Axe().run(page).response["violations"]
        assert not [(violation["id"], violation["nodes"][0]["html"]) for violation in violations]


def test_phone_targets_are_44_pixels(browser: Browser, site: str) -> None:
    with browser.new_context(viewport=PHONE, has_touch=True, locale="zh-CN") as context:
        page = context.new_page()
        page.goto(f"{site}/_kit/list")
        boxes = page.locator(".main .btn:visible, .tabs a, .bottom-nav a, .nav-label, .search input[type=search]")
        heights = boxes.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
        # The buttons of the batch bar are the small kind, and WCAG 2.2 asks for 24.
        assert min(heights) >= 38
        assert sum(height >= 44 for height in heights) >= len(heights) - 4


def test_copying_puts_the_text_on_the_clipboard_and_says_so(browser: Browser, site: str) -> None:
    with browser.new_context(locale="zh-CN", permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto(f"{site}/_kit/detail")
        page.locator('[data-copy="HF88213377"]').click()
        expect(page.locator("#toasts")).to_contain_text("已复制")
        assert page.evaluate("navigator.clipboard.readText()") == "HF88213377"


def test_selection_counts_rows_and_offers_the_whole_query(page: Page, site: str) -> None:
    page.goto(f"{site}/_kit/list")
    bar = page.locator("form.batch")
    expect(bar).to_be_hidden()
    page.locator("input[data-row]").nth(1).check()
    expect(bar).to_be_visible()
    expect(bar.locator("[data-count-text]")).to_have_text("1")
    page.locator("input[data-row]").nth(4).click(modifiers=["Shift"])
    expect(bar.locator("[data-count-text]")).to_have_text("4")
    expect(bar.locator("[data-everything-offer]")).to_be_hidden()
    page.locator("input[data-page]").check()
    expect(bar.locator("[data-count-text]")).to_have_text("18")
    bar.locator("[data-everything]").check()
    expect(bar.locator("[data-count-text]")).to_have_text("1,286")
    bar.locator("[data-unselect]").click()
    expect(bar).to_be_hidden()


def test_keys_search_move_select_and_help_but_not_while_typing(page: Page, site: str) -> None:
    page.goto(f"{site}/_kit/list")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr.here input[data-row]")).to_have_count(1)
    page.keyboard.press("x")
    expect(page.locator("input[data-row]").nth(1)).to_be_checked()
    page.keyboard.press("/")
    search = page.locator("input[type=search]")
    expect(search).to_be_focused()
    page.keyboard.type("jx?")
    expect(search).to_have_value("jx?")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keyboard-help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keyboard-help")).to_be_hidden()
    page.keyboard.press("k")
    page.keyboard.press("o")
    page.wait_for_url("**/_kit/detail")


def test_the_theme_changes_at_once_and_is_kept(page: Page, site: str) -> None:
    page.goto(f"{site}/_kit/list")
    with page.expect_response("**/preferences"):
        page.locator("button[name=theme][value=dark]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 17, 20)"


def test_menus_close_on_escape_and_elsewhere(page: Page, site: str) -> None:
    page.goto(f"{site}/_kit/list")
    filters = page.locator("details.sheet")
    filters.locator("summary").click()
    expect(filters.locator(".menu-panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(filters.locator(".menu-panel")).to_be_hidden()
    filters.locator("summary").click()
    page.locator("h1").click()
    expect(filters.locator(".menu-panel")).to_be_hidden()


def test_a_destructive_action_asks_first_and_says_how_much(page: Page, site: str) -> None:
    page.goto(f"{site}/_kit/list")
    for row in (0, 1):
        page.locator("input[data-row]").nth(row).check()
    page.locator('[data-dialog="close-orders"]').click()
    dialog = page.locator("#close-orders")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("¥119.65")
    dialog.locator("[data-close]").first.click()
    expect(dialog).to_be_hidden()


def test_without_scripts_menus_themes_languages_and_the_drawer_work(browser: Browser, site: str) -> None:
    with browser.new_context(viewport=PHONE, java_script_enabled=False, locale="zh-CN") as context:
        page = context.new_page()
        page.goto(f"{site}/_kit/list")
        expect(page.locator("form.batch")).to_be_visible()
        expect(page.locator("input[data-page]")).to_be_hidden()
        expect(page.locator("#close-orders")).to_be_visible()
        page.locator("details.sheet > summary").click()
        expect(page.locator("details.sheet .menu-panel")).to_be_visible()
        page.goto(f"{site}/_kit/list")
        expect(page.locator(".sidebar")).to_be_hidden()
        page.locator("#nav-toggle").focus()
        page.keyboard.press("Space")
        expect(page.locator(".sidebar")).to_be_visible()
        page.locator("button[name=language][value=en]").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.locator("#nav-toggle").focus()
        page.keyboard.press("Space")
        page.locator("button[name=theme][value=dark]").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_head_of_a_table_sticks_to_the_page(page: Page, site: str) -> None:
    page.goto(f"{site}/_kit/list")
    expect(page.locator(".table-wrap.fits")).to_have_count(1)
    page.evaluate("window.scrollTo({top: 600, behavior: 'instant'})")
    assert page.locator(".table thead th").nth(1).bounding_box()["y"] < 2  # type: ignore[index]
