"""Saved views and rules as people use them, in a real Chromium: by keyboard, live, without JavaScript, and for everybody."""

from __future__ import annotations

from typing import Any

import pytest
from tests.browser.test_live import Mover, shown, streaming

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def mover(site: Any):
    made = Mover(site.data)
    yield made
    made.close()


def open_panel(page: Any) -> None:
    page.locator(".saved-views summary").click()


def test_a_view_is_saved_by_keyboard_pinned_and_made_the_default(open_page: Any, sign_in: Any) -> None:
    from playwright.sync_api import expect

    page = open_page()
    sign_in(page, "merchant", 1)
    page.goto("/m/orders?view=sales&status=completed&date=90d")
    summary = page.locator(".saved-views summary")
    summary.focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("视图名称")
    page.keyboard.press("Tab")
    while not field.evaluate("node => node === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("已完成的")
    page.keyboard.press("Tab")  # pinned, ticked already
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # opens the list
    page.keyboard.press("Enter")
    page.wait_for_url("**saved=*")
    pin = page.locator(".pins a", has_text="已完成的")
    assert pin.get_attribute("aria-current") == "true"
    assert "视图“已完成的”已保存" in page.locator("body").inner_text()

    page.click(".sidebar nav >> text=销售订单")
    page.wait_for_load_state("networkidle")
    assert page.locator(".chips .chip.removable").count() == 2, "the view's filters, not the last 30 days alone"
    page.locator(".chips-clear").click()
    page.wait_for_url("**date=30d*")
    expect(page.locator(".chips .chip.removable")).to_have_count(1)
    page.locator(".pins a").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".chips .chip.removable")).to_have_count(2)
    page.locator(".chips .chip.removable").filter(has_text="状态").locator("a").click()
    expect(page.locator(".chips .chip.removable")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    open_panel(page)
    page.get_by_role("button", name="用当前筛选更新").click()
    page.locator("text=已更新").first.wait_for()
    assert page.locator(".chips .chip.removable").count() == 1

    open_panel(page)
    page.get_by_role("link", name="管理视图").click()
    page.get_by_role("button", name="取消默认 已完成的").click()
    page.get_by_role("button", name="删除 已完成的").click()
    page.wait_for_load_state()
    assert page.locator("text=还没有保存的视图").count() == 1


def test_views_work_without_javascript(open_page: Any, sign_in: Any) -> None:
    page = open_page(javascript=False)
    sign_in(page, "buyer")
    page.goto("/orders?date=all&status=completed")
    open_panel(page)
    page.fill("input[name=name]", "买完的")
    page.get_by_role("button", name="保存视图").click()
    assert "saved=" in page.url and page.locator(".pins a", has_text="买完的").count() == 1
    page.goto("/orders/views")
    page.get_by_role("button", name="删除 买完的").click()
    assert page.url.endswith("/orders/views") and not page.locator("tbody tr", has_text="买完的").count()


def test_a_rule_is_made_and_tags_a_new_order_on_the_open_list(open_page: Any, sign_in: Any, mover: Any) -> None:
    staff, viewer = open_page(), open_page()
    for page in (staff, viewer):
        sign_in(page, "merchant")
    staff.goto("/m/tags")
    staff.get_by_role("link", name="新建规则").click()
    staff.get_by_label("名称").fill("刚取消的")
    staff.get_by_label("标签", exact=True).fill("现场打的")
    staff.get_by_label("与搜索框写法相同").fill("status:cancelled amount:>0")
    staff.get_by_role("button", name="预览").last.click()
    staff.locator("#preview").wait_for()
    assert "笔订单符合" in staff.locator("#preview").inner_text()
    assert staff.locator(".chips .chip").count() == 2
    staff.get_by_role("button", name="保存", exact=True).click()
    staff.wait_for_url("**/m/tags")
    assert staff.locator("td", has_text="刚取消的").count() == 1

    columns = "&".join(f"column={name}" for name in ("order_no", "product", "status", "tags"))
    streaming(viewer, f"/m/orders?view=sales&date=all&{columns}")
    number = mover.order_again(shown(viewer)[0])
    streaming(viewer, f"/m/orders?view=sales&date=all&{columns}")
    row = viewer.locator(f"tr[data-no='{number}']")
    assert row.locator(".tag").count() == 0
    mover.move(number, "cancelled")
    row.locator(".tag", has_text="现场打的").wait_for(timeout=5_000)


def test_tags_are_recoloured_and_merged_with_progress(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto("/m/tags")
    page.get_by_label("颜色 待回访").select_option("teal")
    page.locator("tr", has=page.get_by_label("颜色 待回访")).get_by_role("button", name="保存").click()
    page.locator(".tag.tone-teal", has_text="待回访").first.wait_for()
    page.get_by_label("合并到 待回访").select_option(label="VIP客户")
    page.locator("tr", has=page.get_by_label("颜色 待回访")).get_by_role("button", name="合并").click()
    page.locator("#tag-jobs .progress.done", has_text="待回访 → VIP客户").wait_for(timeout=20_000)
    page.reload()
    assert page.get_by_label("颜色 待回访").count() == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_the_pages_pass_axe(open_page: Any, sign_in: Any, dark: bool, phone: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(axe=True, dark=dark, phone=phone)
    sign_in(page, "merchant")
    page.goto("/m/tags")
    rule = page.locator("td.c-key a[href*='/m/tags/rules/']").first.get_attribute("href")
    delete = page.locator("a[href$='/delete']").first.get_attribute("href")
    for path in ("/m/tags", rule, delete, "/m/tags/rules/new", "/m/orders/views", "/m/orders?view=sales"):
        page.goto(path)
        if path.startswith("/m/orders?"):
            open_panel(page)
        found = axe.run(page)
        assert found.violations_count == 0, (path, found.generate_report())
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{path} is wider than the screen by {width}"
