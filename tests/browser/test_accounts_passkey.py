"""A passkey in a real browser: added to an account, then the only thing needed to sign in."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.browser
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_add_a_passkey_and_sign_in_with_it(open_page: Any, site: Any) -> None:
    page = open_page()
    here = re.sub(r"//127\.0\.0\.1", "//localhost", site.url)  # an address is no name a passkey could be bound to
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    account = site.account("buyer", 1)

    page.goto(f"{here}/accounts/login/")
    page.fill("input[name=login]", account["username"])
    page.fill("input[name=password]", account["password"])
    page.locator("main form button.primary").first.click()
    page.wait_for_url("**/orders*")

    page.goto(f"{here}/accounts/2fa/webauthn/add/")
    page.fill("input[name=password]", account["password"])
    page.locator("main form button.primary").first.click()
    page.wait_for_url("**/webauthn/add/")
    page.fill("input[name=name]", "laptop")
    page.check("input[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(re.compile(r"/accounts/2fa/(webauthn/|recovery-codes/|)$"))
    page.goto(f"{here}/accounts/2fa/webauthn/")
    assert "laptop" in page.locator("main").inner_text()

    page.click(".sidebar form[action='/accounts/logout/'] button")
    page.wait_for_url(f"{here}/")
    page.goto(f"{here}/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url("**/orders*")
    assert page.locator("h1").inner_text() == "消费订单"
