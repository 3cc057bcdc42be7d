"""A guest in front of a shop, in a real browser: shop, product, checkout, confirmation, lookup; with and without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.browser
SHOP = "/s/xinghe"


def trouble(page: Any, name: str) -> list[str]:
    """What axe and the width of the screen have against the page shown."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.wait_for_load_state("networkidle")
    violations = axe.run(page).response["violations"]
    found = [f"{name} {each['id']}: {each['nodes'][0]['html'][:160]}" for each in violations]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append(f"{name} scrolls sideways")
    return found


def choose(page: Any) -> None:
    """Goes from the shop's front to a phone top-up, as a guest would."""
    page.goto(SHOP)
    page.click("nav.tabs >> text=话费充值")
    page.click("main >> text=中国移动话费充值")
    page.wait_for_url("**/p/*")


def place(page: Any, **typed: str) -> str:
    """Fills in the form, orders, goes on to the order's page, and returns the order's number."""
    for name, value in {"f-phone": "13812345678", "contact": "guest@example.com", **typed}.items():
        page.fill(f"input[name={name}]", value)
    page.click("button.big")
    page.wait_for_url(re.compile(r"/\d{19}"))
    placed = re.findall(r"\d{19}", page.url)[0]
    page.goto(f"{SHOP}/order/{placed}")
    return str(placed)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_guest_orders_and_finds_the_order_again(open_page: Any, javascript: bool) -> None:
    page = open_page(javascript=javascript)
    choose(page)
    page.fill("input[name=f-phone]", "130 1234 5678")
    page.fill("input[name=contact]", "guest@example.com")
    page.click("button.big")
    assert "中国联通" in page.locator(".field-error").inner_text()
    assert page.input_value("input[name=contact]") == "guest@example.com", "nothing is typed twice"
    placed = place(page)
    code = page.locator("#code").inner_text()
    assert len(code) == 8
    assert page.locator("#number").inner_text() == placed
    assert page.locator(".qr svg").count() == 1
    page.goto(f"/pay/{placed}/")
    assert page.locator("#code").inner_text() == code, "before paying as after"
    assert page.locator("#number").inner_text() == placed
    page.goto(f"{SHOP}/order/{placed}")

    other = open_page(javascript=javascript)
    other.goto(page.url)
    assert other.url.endswith(f"/lookup?order={placed}")
    other.fill("input[name=code]", "WRONG234")
    other.click("main button.primary")
    assert "没有与该单号" in other.locator("[role=alert]").inner_text()
    other.fill("input[name=code]", code.lower())
    other.click("main button.primary")
    other.wait_for_url(f"**/order/{placed}")
    other.click("text=再次购买")
    other.wait_for_url("**/p/*")
    assert other.input_value("input[name=f-phone]") == "13812345678"


def test_copying_the_number_and_the_code(open_page: Any) -> None:
    page = open_page()
    choose(page)
    for name, value in {"f-phone": "13812345678", "contact": "guest@example.com"}.items():
        page.fill(f"input[name={name}]", value)
    page.click("button.big")
    page.wait_for_url(re.compile(r"/pay/\d{19}"))
    for name in ("number", "code"):
        page.click(f"[data-copy-from={name}]")
        page.wait_for_function(f"document.querySelector('#toasts').innerText.length > 0 || '{name}'")
        assert page.evaluate("navigator.clipboard.readText()") == page.locator(f"#{name}").inner_text()


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)])
def test_the_shops_pages_are_accessible(open_page: Any, sign_in: Any, phone: bool, dark: bool) -> None:
    page = open_page(phone=phone, dark=dark, axe=True)
    page.goto(SHOP)
    found = trouble(page, "shop")
    page.goto(f"{SHOP}?q=nothing-like-this")
    found += trouble(page, "no match")
    choose(page)
    found += trouble(page, "product")
    page.fill("input[name=f-phone]", "130 1234 5678")
    page.fill("input[name=contact]", "guest@example.com")
    page.click("button.big")
    found += trouble(page, "refused")
    place(page)
    found += trouble(page, "order")
    page.goto("/lookup")
    found += trouble(page, "lookup")
    sign_in(page, "merchant")
    for path in ("/m/products", "/m/products/new"):
        page.goto(path)
        found += trouble(page, path)
    page.goto("/m/products")
    page.locator("tbody a").first.click()
    page.wait_for_url("**/m/products/*")
    found += trouble(page, "edit")
    assert not found, "\n".join(found)


def test_a_merchant_changes_a_price_and_the_guest_sees_it(open_page: Any, sign_in: Any) -> None:
    page = open_page(javascript=False)
    sign_in(page, "merchant", 1)
    page.click(".sidebar nav a[href='/m/products']")
    page.locator("tbody a").first.click()
    page.fill("input[name=price]", "123.45")
    page.click("form.product-form button.primary")
    assert "已保存" in page.locator("main .alert").first.inner_text()
    page.click(".sidebar nav a[href='/m/shop']")
    page.wait_for_url("**/s/shandian")
    assert "¥123.45" in page.locator("main").inner_text()
