"""The search history, the palette, the keys of the list and speech, as people use them in a real Chromium."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.browser

SPEAKER = """
window.asked = 0;
window.webkitSpeechRecognition = class {
  start() {
    window.asked += 1;
    window.said = this.lang;
    const result = Object.assign([{ transcript: "已完成的订单。" }], { isFinal: true });
    setTimeout(() => { this.onresult({ results: [result] }); this.onend(); }, 50);
  }
  stop() { this.onend(); }
};
delete window.SpeechRecognition;
"""


def test_the_palette_opens_filters_and_goes_by_keyboard_alone(open_page: Any, sign_in: Any) -> None:
    from playwright.sync_api import expect

    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/palette/items" in request.url else None)
    sign_in(page, "merchant", 1)
    page.goto("/m/tags")
    palette, box = page.locator("#palette"), page.locator("#palette input[role=combobox]")
    page.wait_for_load_state("networkidle")
    assert not asked, "nothing is loaded before it is opened"
    link = page.get_by_role("link", name="商品", exact=True).first
    link.focus()
    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-expanded", "true")
    first = page.locator('#palette [aria-selected="true"]')
    expect(first).to_have_count(1)
    assert box.get_attribute("aria-activedescendant") == first.get_attribute("id")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#palette [role=option]").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("批量")
    expect(page.locator("#palette [role=option]:visible")).to_have_count(2)
    page.keyboard.press("Enter")
    page.wait_for_url("**/m/batches")
    assert len(asked) == 1, "once a page"

    page.locator(".sidebar [data-palette]").click()
    expect(box).to_be_focused()
    page.keyboard.type("zzz 没有这样的页面")
    expect(page.locator("#palette [role=option]:visible")).to_have_text(["搜索订单： “zzz 没有这样的页面”"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/m/orders?**")
    expect(page.locator("main input[type=search]")).to_have_value("zzz 没有这样的页面")
    page.keyboard.press("Control+k")
    expect(palette.locator("[role=option]", has_text="zzz 没有这样的页面")).to_have_count(1), "asked before"
    page.keyboard.press("Control+k")
    expect(palette).to_be_hidden()


def test_the_palette_and_the_history_are_for_everybody(open_page: Any, sign_in: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import expect

    for phone, dark in ((False, False), (True, True)):
        page = open_page(axe=True, phone=phone, dark=dark)
        sign_in(page, "merchant", 1)
        page.goto("/m/orders?q=status:paid")
        page.locator(".recall summary").click()
        expect(page.locator(".recall .menu-panel")).to_be_visible()
        states = [Axe().run(page).response["violations"]]
        page.keyboard.press("Escape")
        page.locator("[data-palette]:visible").click()
        expect(page.locator("#palette [role=option]:visible").first).to_be_visible()
        states.append(Axe().run(page).response["violations"])
        for path in ("/recall", "/palette"):
            page.goto(path)
            states.append(Axe().run(page).response["violations"])
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        assert not [(one["id"], one["nodes"][0]["html"]) for found in states for one in found]


def forgotten(open_page: Any, sign_in: Any) -> None:
    """What other tests asked as the same buyer is cleared."""
    page = open_page(javascript=False)
    sign_in(page, "buyer")
    page.goto("/recall")
    button = page.locator("dialog.confirm button", has_text="全部清空")
    if button.count():
        button.click()
    assert page.locator("tbody tr").count() == 0


def test_suggestions_stand_by_the_box_and_the_history_is_cleared_there(open_page: Any, sign_in: Any) -> None:
    from playwright.sync_api import expect

    forgotten(open_page, sign_in)
    page = open_page()
    sign_in(page, "buyer")
    page.goto("/orders")
    assert page.locator("main input[type=search]").get_attribute("list") == "search-offers"
    expect(page.locator('#search-offers option[value="没到账的订单"]')).to_have_count(1)
    page.locator(".recall summary").click()
    page.locator(".recall a", has_text="上个月充值的话费订单").click()
    page.wait_for_url(re.compile("q="))
    expect(page.locator("main input[type=search]")).to_have_value("上个月充值的话费订单")
    page.fill("main input[type=search]", "status:completed")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("status%3Acompleted|status:completed"))
    page.locator(".recall summary").click()
    page.get_by_role("button", name="移除 上个月充值的话费订单").click()
    expect(page.locator("body")).to_contain_text("已从搜索历史中删除")
    assert "q=" not in page.url, "asking again would keep it again"
    page.locator(".recall summary").click()
    expect(page.locator(".recall-list").first.locator("a")).to_have_text(["status:completed"])
    page.locator(".recall button", has_text="全部清空").click()
    expect(page.locator("body")).to_contain_text("搜索历史已清空")
    page.locator(".recall summary").click()
    expect(page.locator(".recall-list a", has_text="status:completed")).to_have_count(0)
    page.goto("/recall")
    expect(page.locator("body")).to_contain_text("还没有搜索记录")


def test_history_and_palette_work_without_javascript(open_page: Any, sign_in: Any) -> None:
    forgotten(open_page, sign_in)
    page = open_page(javascript=False)
    sign_in(page, "buyer")
    for text in ("话费", "爱奇艺"):
        page.goto("/orders")
        page.fill("main input[type=search]", text)
        page.locator("main form.search button.btn", has_text="搜索").last.click()
    assert not page.locator(".mic").is_visible()
    page.locator(".sidebar [data-palette]").click()
    assert page.url.endswith("/palette")
    page.locator("main a", has_text="最近搜索").first.click()
    kept = page.locator("tbody tr").count()  # other tests ask too
    assert [page.locator("tbody tr a").nth(place).inner_text() for place in range(2)] == ["爱奇艺", "话费"]
    page.get_by_role("button", name="移除 话费", exact=True).click()
    assert page.locator("tbody tr").count() == kept - 1
    page.locator("dialog.confirm button", has_text="全部清空").click()
    assert page.locator("tbody tr").count() == 0 and "/recall" in page.url


def test_the_keys_of_the_list(open_page: Any, sign_in: Any) -> None:
    from playwright.sync_api import expect

    page = open_page()
    sign_in(page, "merchant")
    page.goto("/m/orders?view=sales&date=all")
    page.keyboard.press("?")
    help_ = page.locator("#keyboard-help")
    expect(help_).to_be_visible()
    for key in ("/", "j", "k", "x", "Enter", "K", "?"):
        expect(help_.locator("kbd", has_text=re.compile(f"^{re.escape(key)}$")).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    for key in "jjk":
        page.keyboard.press(key)
    row = page.locator("tr[data-open].here")
    expect(row).to_have_count(1)
    page.keyboard.press("x")
    expect(page.locator("input[data-row]").first).to_be_checked()
    page.keyboard.press("/")
    expect(page.locator("main input[type=search]")).to_be_focused()
    page.keyboard.type("jk?")
    expect(page.locator("main input[type=search]")).to_have_value("jk?")
    page.fill("main input[type=search]", "")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    address = page.locator("tr[data-open].here a").first.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address.split('?')[0]}*")


def test_a_question_is_spoken_and_the_microphone_waits_for_the_button(open_page: Any, sign_in: Any) -> None:
    from playwright.sync_api import expect

    page = open_page()
    page.add_init_script(SPEAKER)
    sign_in(page, "merchant", 1)
    page.goto("/m/orders")
    button = page.get_by_role("button", name="语音搜索")
    expect(button).to_be_visible()
    assert page.evaluate("window.asked") == 0
    button.click()
    page.wait_for_url(re.compile("q="))
    expect(page.locator("main input[type=search]")).to_have_value("已完成的订单")
    assert page.evaluate("[window.asked, window.said]") == [1, "zh-CN"]


def test_a_browser_that_cannot_listen_shows_no_microphone(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    page.add_init_script("delete window.SpeechRecognition; delete window.webkitSpeechRecognition;")
    sign_in(page, "merchant", 1)
    page.goto("/m/orders")
    page.wait_for_selector("html.js")
    assert not page.locator(".mic").is_visible()
