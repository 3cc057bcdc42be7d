"""Batch actions as a person does them: thousands with progress and undo, a range by Shift, by keyboard, without JavaScript."""

from __future__ import annotations

import csv
import json
import re
import time
import urllib.request
import uuid
from typing import Any

import pytest

pytestmark = pytest.mark.browser
ALL = "/m/orders?view=sales&date=all"


def chosen(page: Any) -> int:
    """How many orders the bar says are selected."""
    return int(page.locator("[data-count-text]").inner_text().replace(",", ""))


def start(page: Any, action: str) -> None:
    """Chooses an action in the bar and goes on."""
    page.select_option("#batch-action", action)
    page.click("form.batch button.primary")
    page.wait_for_load_state()


def confirm(page: Any) -> None:
    """Confirms the preview and waits for the report."""
    page.click("#confirm button")
    page.wait_for_selector("#batch .badge.large:has-text('已完成')", timeout=60_000)


def prepared(site: Any, body: dict[str, Any]) -> str:
    """The page of a batch that the shop's own program prepared."""
    request = urllib.request.Request(
        f"{site.url}/api/v1/batches",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {site.account('merchant')['api_key']}",
            "Idempotency-Key": uuid.uuid4().hex,
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        made = json.load(answer)
    assert made["orders"] == 5000
    return f"/m/batches/{made['id']}"


def test_five_thousand_orders_are_tagged_with_progress_and_undone(open_page: Any, sign_in: Any, site: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    batch = prepared(site, {"action": "tag", "tag": "五千单", "query": {"limit": 5000}})
    page.goto(batch)
    preview = page.locator("main").inner_text()
    assert "5,000 笔订单" in preview and re.search(r"¥[\d,]{5,}\.\d\d", preview) and "可撤销" in preview
    page.click("#confirm button")
    # The page asks for itself; nobody reloads it.
    page.wait_for_selector("text=5,000 / 5,000 · 100%", timeout=60_000)
    page.wait_for_selector("#batch .badge.large:has-text('已完成')", timeout=10_000)
    assert page.locator(".tabs a:has-text('已完成') .count").inner_text() == "5,000"
    page.click("button:has-text('撤销')")
    page.wait_for_selector("#batch .badge.large:has-text('已撤销')", timeout=60_000)
    assert "5,000 / 5,000 · 100%" in page.locator("main").inner_text()
    page.goto(f"{ALL}&tag=五千单")
    assert page.locator("tbody .c-key").count() == 0


def test_all_of_a_list_is_taken_across_its_pages(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto("/m/orders?view=sales&date=30d&status=completed")
    shown = page.locator("tbody .c-key").count()
    page.locator("input[data-page]").check()
    page.locator("[data-everything]").check()
    many = chosen(page)
    assert many > shown
    start(page, "tag")
    page.fill("input[name=tag]", "整表测试")
    page.click("main form button.primary")
    page.wait_for_selector("#confirm")
    assert f"{many:,} 笔订单" in page.locator("main").inner_text()
    confirm(page)
    page.goto(f"{ALL}&tag=整表测试")
    assert f"{many:,}" in page.locator("[data-everything-offer]").text_content()


def test_a_range_is_ticked_with_shift_and_its_report_is_a_file(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto(ALL)
    boxes = page.locator("tbody input[data-row]")
    numbers = [boxes.nth(place).get_attribute("value") for place in range(2, 7)]
    boxes.nth(2).click()
    boxes.nth(6).click(modifiers=["Shift"])
    assert chosen(page) == 5
    start(page, "note")
    page.fill("textarea[name=note]", "浏览器核对")
    page.click("main form button.primary")
    page.wait_for_selector("#confirm")
    confirm(page)
    with page.expect_download() as waiting:
        page.click("a[href$='/results.csv']")
    lines = list(csv.reader(waiting.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert sorted(line[0].strip() for line in lines[1:]) == sorted(numbers)
    page.goto(f"/m/orders/{numbers[0]}")
    assert "浏览器核对" in page.locator("main").inner_text()


def test_by_keyboard_alone(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto(ALL)
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    assert chosen(page) == 2
    page.focus("#batch-action")
    page.keyboard.press("n") if page.locator("html").get_attribute("lang") == "en" else page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator("#batch-action").input_value() == "note"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("textarea[name=note]")
    page.focus("textarea[name=note]")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#confirm")
    page.focus("#confirm button")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2 / 2 · 100%", timeout=30_000)


def test_without_javascript_down_to_the_undone_report(open_page: Any, sign_in: Any) -> None:
    page = open_page(javascript=False)
    sign_in(page, "merchant")
    page.goto(ALL)
    for place in range(3):
        page.locator("tbody input[data-row]").nth(place).check()
    start(page, "tag")
    page.fill("input[name=tag]", "无脚本")
    page.click("main form button.primary")
    assert "3 笔订单" in page.locator("main").inner_text()
    page.click("#confirm button")
    settled(page, "3 / 3 · 100%")
    page.click("button:has-text('撤销')")
    settled(page, "能撤销的都已撤销")


def settled(page: Any, words: str) -> None:
    """Follows the refresh link until the page says so."""
    ends = time.monotonic() + 30
    while words not in page.locator("main").inner_text() or page.locator("a:has-text('刷新')").count():
        assert time.monotonic() < ends, page.locator("main").inner_text()
        link = page.locator("a:has-text('刷新')")
        if link.count():
            link.click()
        else:
            page.reload()
        time.sleep(0.3)


def test_a_refund_is_confirmed_by_typing_how_many(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto(f"{ALL}&limit=100")
    page.locator("input[data-page]").check()
    page.locator("[data-everything]").check()
    start(page, "refund")
    page.fill("input[name=reason]", "浏览器测试")
    page.click("main form button.primary")
    page.wait_for_selector("h2:has-text('将会发生什么')")
    said = page.locator("main").inner_text()
    assert "不可撤销" in said and "100 笔中" in said, "why some of them can not"
    if page.locator("#confirm").count():
        page.fill("input[name=confirmed]", "99999")
        page.click("#confirm button")
        page.wait_for_selector("[role=alert]")
        assert "请输入订单笔数" in page.locator("main").inner_text()
    page.click("button:has-text('放弃')")
    page.wait_for_url("**/m/batches")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_batch_pages_are_accessible_and_fit(open_page: Any, sign_in: Any, *, phone: bool, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(phone=phone, dark=dark, axe=True)
    sign_in(page, "merchant")

    def check(what: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], what
        result = axe.run(page)
        assert result.violations_count == 0, f"{what}\n{result.generate_report()}"

    page.goto(ALL)
    page.locator("tbody input[data-row]").first.check()
    check("bar")
    start(page, "refund")
    check("texts")
    page.fill("input[name=reason]", "核对")
    page.click("main form button.primary")
    page.wait_for_selector("h2:has-text('将会发生什么')")
    check("preview")
    page.goto(ALL)
    page.locator("tbody input[data-row]").first.check()
    start(page, "note")
    page.fill("textarea[name=note]", "核对")
    page.click("main form button.primary")
    page.wait_for_selector("#confirm")
    confirm(page)
    check("report")
    page.goto("/m/batches")
    check("list")
