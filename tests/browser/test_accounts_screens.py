"""The account screens in a real browser: axe, narrow screens, both themes, and signing in without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser
SIGNED_OUT = (
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/api/docs",
)
SIGNED_IN = (
    "/account",
    "/keys",
    "/m/staff",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/reauthenticate/",
    "/accounts/logout/",
    "/api/docs",
)


def check(page: Any, path: str) -> list[str]:
    """What axe and the width of the screen have against a page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    found = [
        f"{path} {violation['id']}: {violation['nodes'][0]['html'][:160]}"
        for violation in axe.run(page).response["violations"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append(f"{path} scrolls sideways")
    return found


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)])
def test_screens_are_accessible(open_page: Any, sign_in: Any, site: Any, phone: bool, dark: bool) -> None:
    page = open_page(phone=phone, dark=dark, axe=True)
    found = [problem for path in SIGNED_OUT for problem in check(page, path)]
    sign_in(page, "merchant")
    page.goto("/accounts/reauthenticate/?next=/account")
    page.fill("input[name=password]", site.account("merchant")["password"])
    page.locator("main form button.primary").first.click()
    page.wait_for_url("**/account")
    found += [problem for path in SIGNED_IN for problem in check(page, path)]
    assert not found, "\n".join(found)


def test_sign_in_without_javascript(open_page: Any, sign_in: Any) -> None:
    page = open_page(javascript=False)
    sign_in(page, "merchant")
    page.goto("/keys")
    page.fill("input[name=name]", "no script")
    page.locator("main form button.primary").last.click()
    assert page.locator("#new-key").inner_text().startswith("cd_live_")
    page.goto("/keys")
    assert page.locator("#new-key").count() == 0
    page.locator("tr", has_text="no script").locator("button").click()
    page.wait_for_load_state()
    assert "已吊销" in page.locator("tr", has_text="no script").inner_text()


def test_switching_capacity_from_the_menu(open_page: Any, sign_in: Any, site: Any) -> None:
    page = open_page()
    sign_in(page, "several")
    page.click("details.capacity summary")
    page.locator("details.capacity button:not([aria-current])").first.click()
    page.wait_for_load_state()
    assert page.locator("h1").count() == 1
