"""Orders that live, in a real browser against the demo and its sandbox: bought, paid, delivered, healed, confirmed, refunded."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from chadan.sandbox.client import Sandbox

pytestmark = pytest.mark.browser
SHOP = "/s/xinghe"
HEALED_WITHIN = 60_000  # milliseconds; the worker shares two cores with everything else
CODE = "look-2026"
CARDS = "卡密"


@pytest.fixture(scope="module")
def sandbox(site: Any) -> Sandbox:
    """The demo's own."""
    return Sandbox(json.loads((site.data / "demo.json").read_text())["sandbox"]["url"])


def trouble(page: Any, name: str) -> list[str]:
    """What axe and the width of the screen have against the page shown."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.wait_for_load_state("networkidle")
    found = [f"{name} {each['id']}: {each['nodes'][0]['html'][:160]}" for each in axe.run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append(f"{name} scrolls sideways")
    return found


def order(page: Any, title: str, **typed: str) -> str:
    """Orders the first product named so that is not sold out; returns the order's number, on the page that pays it."""
    page.goto(f"{SHOP}?q={title}")
    for link in [each.get_attribute("href") for each in page.locator("main a[href*='/p/']").all()]:
        page.goto(link)
        if page.locator("button.big").count():
            break
    filled = {
        "f-phone": "18912345678",
        "f-qq": "12345678",
        "f-game_id": "100200300",
        "f-email": "a@example.com",
        **typed,
    }
    for name, value in {**filled, "contact": "13900001234", "code": CODE}.items():
        if page.locator(f"input[name={name}]").count():
            page.fill(f"input[name={name}]", value)
    page.click("button.big")
    page.wait_for_url(re.compile(r"/pay/\d{19}/"))
    return str(re.findall(r"\d{19}", page.url)[0])


def choose(page: Any, channel: str) -> None:
    """Chooses a way to pay and presses the button."""
    page.locator("main label.check", has_text=channel).first.click()
    page.locator("main form button.primary").click()


def pay_at_cashier(page: Any, channel: str) -> None:
    """Pays on the gateway's page and comes back."""
    choose(page, channel)
    page.click("text=前往付款页面")
    page.wait_for_url("**/cashier/*")
    page.click("text=确认支付")
    page.wait_for_url("**/pay/**")


def shows(page: Any, *states: str, reloading: bool = False, within: int = HEALED_WITHIN) -> None:
    """Waits for one of the states in the page's first badge; without scripts somebody presses reload."""
    badge = page.locator(".amount-row .badge").first
    ends = time.monotonic() + within / 1000
    while badge.inner_text().strip() not in states:
        assert time.monotonic() < ends, f"{badge.inner_text()} is none of {states}"
        page.wait_for_timeout(500)
        if reloading:
            page.reload()


def open_order(page: Any, number: str) -> None:
    """A merchant finds an order by its number."""
    page.goto("/m/orders")
    page.fill("input[name=q]", number)
    page.press("input[name=q]", "Enter")
    page.wait_for_url(f"**/m/orders/{number}*")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_guest_buys_a_card_and_finds_it_again(open_page: Any, javascript: bool) -> None:
    page = open_page(javascript=javascript)
    number = order(page, CARDS)
    pay_at_cashier(page, "易支付 V1" if javascript else "支付宝")
    shows(page, "已付款", "已发货", reloading=not javascript)
    page.locator("main").get_by_text("查看订单").first.click()
    shows(page, "已发货", reloading=not javascript)
    if not javascript:
        page.goto(page.url)
    page.click("text=查看卡密")
    card = page.locator("#card-1").inner_text()
    assert card

    later = open_page(javascript=javascript)
    later.goto("/lookup")
    later.fill("input[name=order]", number)
    later.fill("input[name=code]", CODE)
    later.click("main button.primary")
    later.wait_for_url(f"**/order/{number}")
    later.click("text=查看卡密")
    assert later.locator("#card-1").inner_text() == card


def test_a_lost_callback_heals_and_staff_tops_up(
    open_page: Any, sign_in: Callable[..., None], sandbox: Sandbox
) -> None:
    guest = open_page()
    number = order(guest, "5G")
    out_no = f"{number}01"
    sandbox.fault("drop", out_no=out_no)
    choose(guest, "微信支付")
    guest.wait_for_url("**/1/")
    assert guest.locator("main svg").count(), "a code to scan"
    guest.click("text=我已付款")  # too early: said so, and nothing changes
    assert "款项尚未到账" in guest.locator("body").inner_text()
    sandbox.pay(out_no)
    guest.wait_for_timeout(3_100)  # a gateway is not asked again at once
    guest.click("text=我已付款")
    shows(guest, "已付款", "处理中")
    assert {each["answer"] for each in sandbox.payment(out_no)["told"]} == {"dropped"}
    guest.get_by_text("查看订单").first.click()
    shows(guest, "处理中")

    staff = open_page()
    sign_in(staff, "merchant")
    open_order(staff, number)
    assert "微信支付（沙箱） · 支付网关" in staff.locator(".timeline").inner_text()
    staff.click("text=发货 / 重试")
    staff.locator("form", has_text="标记为已发货").locator("input[name=confirmed]").check()
    staff.click("text=标记为已发货")
    staff.wait_for_url("**/m/deliveries")
    shows(guest, "已发货")


@pytest.mark.parametrize(("phone", "came_to"), [("13812345678", "已发货"), ("13812340000", "充值失败")])
def test_a_top_up_from_a_supplier_whose_callback_is_lost(
    open_page: Any, sandbox: Sandbox, phone: str, came_to: str
) -> None:
    guest = open_page()
    number = order(guest, "沙箱货源代充", **{"f-phone": phone})
    out_no = f"{number}01"
    sandbox.fault("drop", out_no=out_no)
    choose(guest, "微信支付")
    guest.wait_for_url("**/1/")
    sandbox.pay(out_no)
    shows(guest, "已付款", "处理中", came_to)  # by itself: the page that stays open has the gateway asked
    assert {each["answer"] for each in sandbox.payment(out_no)["told"]} == {"dropped"}
    guest.get_by_text("查看订单").first.click()
    shows(guest, came_to, "已退款" if came_to == "充值失败" else came_to)
    ours = [one for one in sandbox.suppliers()["dujiao"]["orders"] if one["code"] == "SBX-TOPUP-50"]
    assert ours[-1]["done" if came_to == "已发货" else "failed"]


def test_new_stock_delivers_what_waits(open_page: Any, sign_in: Callable[..., None]) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto("/m/deliveries")
    row = page.locator("tbody tr", has_text="库存卡密不足").first
    title, quantity = re.match(r"(.+) × (\d+)", row.locator(".c-main").inner_text()).groups()  # type: ignore[union-attr]
    number = re.findall(r"\d{19}", row.locator("a").first.get_attribute("href"))[0]
    page.goto("/m/stock")
    page.locator("tbody tr", has_text=title).locator("a").first.click()
    page.fill("textarea[name=cards]", "\n".join(f"NEW-CARD-{place:04d}" for place in range(int(quantity))))
    page.locator("form", has=page.locator("textarea[name=cards]")).locator("button.primary").click()
    assert f"新增 {quantity}" in page.locator("main .alert").inner_text()
    open_order(page, number)
    shows(page, "已发货", reloading=True)
    assert "库存自动发货" in page.locator(".timeline").inner_text()


def test_a_wallet_pays_at_once(open_page: Any, sign_in: Callable[..., None]) -> None:
    page = open_page()
    sign_in(page, "buyer")
    number = order(page, CARDS)
    held = page.locator("main label.check", has_text="余额支付").inner_text()
    choose(page, "余额支付")
    shows(page, "已付款", "已发货")
    page.click("text=查看订单")
    page.wait_for_url(f"**/orders/{number}")
    shows(page, "已发货", reloading=True)
    page.click("text=确认收货")
    shows(page, "已完成")
    order(page, CARDS)
    assert page.locator("main label.check", has_text="余额支付").inner_text() != held


def test_finance_confirms_a_transfer_and_gives_a_payment_back(
    open_page: Any, sign_in: Callable[..., None], sandbox: Sandbox
) -> None:
    guest, finance = open_page(), open_page()
    transfer = order(guest, "5G")
    choose(guest, "银行转账")
    guest.wait_for_url("**/1/")
    assert "招商银行" in guest.locator("main").inner_text()
    sign_in(finance, "merchant_finance")
    open_order(finance, transfer)
    finance.click("text=人工确认收款")
    assert "银行转账" in finance.locator("select[name=channel] option:checked").inner_text(), "as the buyer chose"
    finance.click("main form button.primary")
    finance.wait_for_url(f"**/m/orders/{transfer}")
    assert "财务小周" in finance.locator(".timeline").inner_text()
    shows(guest, "已付款", "处理中")

    paid = order(guest, CARDS)
    pay_at_cashier(guest, "易支付 V2")
    shows(guest, "已付款", "已发货")
    open_order(finance, paid)
    finance.locator("#steps").get_by_text("退款").click()
    finance.fill("input[name=reason]", "买家不要了")
    finance.locator("main form button.danger").click()
    finance.wait_for_url(f"**/m/orders/{paid}")
    shows(finance, "已退款", reloading=True)
    payment = sandbox.payment(f"{paid}01")
    assert payment["state"] == "refunded"
    assert sum(payment["refunds"].values()) == payment["amount"]


def test_a_buyer_gets_a_price_level(open_page: Any, sign_in: Callable[..., None]) -> None:
    page = open_page(javascript=False)
    sign_in(page, "merchant")
    page.goto("/m/products")
    page.click("main >> text=价格等级")
    page.fill("input[name=who]", "nobody-of-this-name")
    page.click("main form button.primary")
    assert "找不到这个人" in page.locator(".field-error").inner_text()
    page.fill("input[name=who]", "linxiaoyu")
    page.select_option("select[name=level]", "2")
    page.click("main form button.primary")
    assert page.locator("tbody tr", has_text="linxiaoyu").inner_text().split()[-2:] == ["2", "级"]


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)])
def test_the_pages_of_living_orders_are_accessible(
    open_page: Any, sign_in: Callable[..., None], phone: bool, dark: bool
) -> None:
    page = open_page(phone=phone, dark=dark, axe=True)
    number = order(page, "5G")
    found = trouble(page, "choose")
    choose(page, "微信支付")
    page.wait_for_url("**/1/")
    found += trouble(page, "scan")
    sign_in(page, "merchant")
    page.goto(f"/m/orders/{number}")
    found += trouble(page, "order")
    for path in (f"/m/orders/{number}/confirm-payment", "/m/deliveries", "/m/refunds", "/m/products/levels"):
        page.goto(path)
        found += trouble(page, path)
    page.goto("/m/deliveries")
    page.locator("tbody .c-actions a").first.click()
    page.wait_for_url("**/m/deliveries/*")
    found += trouble(page, "deliver")
    assert not found, "\n".join(found)
