"""What a person does with orders: find, open, copy, reveal, tag, export. Real Chromium against the running demo."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
import urllib.request
from typing import Any

import pytest

from chadan.orders import number as numbers

pytestmark = pytest.mark.browser
HOMES = {
    "operator": ("/ops/orders", "全部订单"),
    "merchant": ("/m/orders?view=sales", "销售订单"),
    "merchant_support": ("/m/orders?view=sales", "销售订单"),
    "agent": ("/m/orders?view=sales", "销售订单"),
    "buyer": ("/orders", "消费订单"),
}


def api(site: Any, role: str, path: str, place: int = 0, **query: Any) -> Any:
    """The API's answer for an account of the demo."""
    address = f"{site.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    key = site.account(role, place)["api_key"]
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def rows(page: Any) -> list[str]:
    """The order numbers a list shows."""
    return [re.sub(r"\D", "", link.inner_text()) for link in page.locator("tbody .c-key a").all()]


def search(page: Any, text: str) -> None:
    """Types into the search box and waits for the answer."""
    page.fill("input[type=search]", text)
    page.press("input[type=search]", "Enter")
    page.wait_for_url(lambda url: "q=" in url or re.search(r"/orders/\d{19}", url))
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("role", HOMES)
def test_each_role_lands_on_its_own_orders(open_page: Any, sign_in: Any, site: Any, role: str) -> None:
    page = open_page()
    sign_in(page, role)
    home, title = HOMES[role]
    assert page.url == site.url + home
    assert page.locator("h1").inner_text() == title
    assert page.locator(".chip").first.inner_text().replace(" ", "").find("30") > 0, "a bare visit shows its window"


def test_agent_sees_sales_agent_orders_and_purchases(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "agent")
    assert page.locator(".sidebar nav a").all_inner_texts()[:3] == ["销售订单", "采购订单", "代理订单"]
    page.click(".sidebar nav >> text=采购订单")
    page.wait_for_url("**view=purchases*")
    assert rows(page)


def test_a_merchant_finds_by_number_tail_preset_status_and_product(open_page: Any, sign_in: Any, site: Any) -> None:
    order = api(site, "merchant", "orders", status="completed,delivered", category="phone_topup", limit=1)["data"][0]
    detail = api(site, "merchant", f"orders/{order['order_no']}")
    page = open_page()
    sign_in(page, "merchant")

    number = order["order_no"]
    search(page, f"单号： {number[:6]} {number[6:11]} {number[11:14]} {number[14:]} 谢谢")
    assert f"/m/orders/{number}" in page.url, "a pasted number opens its order"
    assert page.locator(".amount-row").is_visible()

    page.goto("/m/orders")
    search(page, order["account"][-4:])
    assert number in rows(page) or page.locator("text=查看更早的订单").count()

    page.goto("/m/orders?date=today")
    assert all(found.startswith(rows(page)[0][:6]) for found in rows(page))

    page.goto("/m/orders?date=90d")
    page.click(".tabs >> text=已完成")
    page.wait_for_url("**status=completed*")
    assert set(page.locator("tbody .c-status").all_inner_texts()) == {"已完成"}

    search(page, "话费 status:completed")
    titles = page.locator("tbody .c-main").all_inner_texts()
    assert titles and all("话费" in title for title in titles)

    txn = next(payment["txn_no"] for payment in detail["payments"] if payment["txn_no"])
    page.goto("/m/orders")
    search(page, txn)
    assert rows(page) == [number] or number in page.url


def test_a_mistyped_number_is_told_from_a_missing_one(open_page: Any, sign_in: Any, site: Any) -> None:
    number = api(site, "merchant", "orders", limit=1)["data"][0]["order_no"]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    page = open_page()
    sign_in(page, "merchant")
    search(page, wrong)
    assert "输错" in page.locator(".field-error").first.inner_text()


def test_chips_take_filters_away_and_the_address_holds_everything(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto("/m/orders?date=90d&status=completed&amount_min=10")
    before = rows(page)
    chips = page.locator(".chips .chip.removable")
    assert chips.count() == 3
    chips.filter(has_text="金额").locator("a").click()
    page.wait_for_url(lambda url: "amount_min" not in url)
    assert "status=completed" in page.url
    page.go_back()
    page.wait_for_url("**amount_min*")
    page.wait_for_load_state("networkidle")
    assert rows(page) == before


def test_an_empty_window_offers_older_orders(open_page: Any, sign_in: Any, site: Any) -> None:
    old = api(site, "buyer", "orders", to="2026-01-31", limit=1)["data"][0]
    page = open_page()
    sign_in(page, "buyer")
    page.goto(f"/orders?date=today&order_no={old['order_no']}")
    assert not rows(page)
    page.click("text=查看更早的订单")
    page.wait_for_load_state("networkidle")
    assert rows(page) == [old["order_no"]]


def test_a_buyer_opens_copies_and_reveals_a_card(open_page: Any, sign_in: Any, site: Any) -> None:
    found = api(site, "buyer", "orders", q="status:completed", category="software_key,game_card,gift_card", limit=20)[
        "data"
    ]
    page = open_page()
    sign_in(page, "buyer")
    for order in found:
        page.goto(f"/orders/{order['order_no']}")
        if page.locator("text=查看卡密").count():
            break
    page.locator("h1 button").click()
    assert page.evaluate("navigator.clipboard.readText()") == order["order_no"]
    hidden = page.locator(".secret code").first.inner_text()
    assert "•" in hidden
    page.click("button:has-text('查看卡密')")
    page.wait_for_load_state("networkidle")
    shown = page.locator(".secret.shown code").first.inner_text()
    assert "•" not in shown and shown.endswith(hidden.split()[-1])
    assert shown not in page.url
    page.goto(f"/orders/{order['order_no']}")
    assert "查看了卡密" in page.locator(".timeline").inner_text()
    assert page.locator(".secret.shown").count() == 0, "a reload masks it again"


def test_support_may_not_reveal(open_page: Any, sign_in: Any, site: Any) -> None:
    order = api(site, "merchant", "orders", category="phone_topup", limit=1)["data"][0]
    page = open_page()
    sign_in(page, "merchant_support")
    page.goto(f"/m/orders/{order['order_no']}")
    assert page.locator("text=充值账号").count()
    assert page.locator("form[action$='/reveal']").count() == 0


def test_another_merchants_order_looks_like_none(open_page: Any, sign_in: Any, site: Any) -> None:
    number = api(site, "merchant", "orders", limit=1)["data"][0]["order_no"]
    page = open_page()
    sign_in(page, "merchant", 1)
    theirs = page.goto(f"/m/orders/{number}")
    said = page.locator("main").inner_text()
    nobodys = page.goto(f"/m/orders/{numbers.make(numbers.now(), 999, 4711)}")
    assert theirs.status == nobodys.status == 404
    assert page.locator("main").inner_text() == said


def test_notes_and_tags_stay(open_page: Any, sign_in: Any, site: Any) -> None:
    order = api(site, "merchant", "orders", limit=1)["data"][0]
    page = open_page()
    sign_in(page, "merchant")
    page.goto(f"/m/orders/{order['order_no']}")
    page.fill("textarea[name=body]", "买家说已到账 <b>谢谢</b>")
    page.click("button:has-text('添加备注')")
    page.wait_for_load_state("networkidle")
    assert "<b>谢谢</b>" in page.locator(".notes").inner_text(), "text stays text"
    page.fill("input[name=name]", "浏览器测试")
    page.click("button:has-text('打标签')")
    page.wait_for_load_state("networkidle")
    assert page.locator(".tag:has-text('浏览器测试')").count() == 1
    page.goto("/m/orders?date=90d")
    search(page, "tag:浏览器测试")
    assert order["order_no"] in rows(page)


def test_previous_and_next_stay_within_the_filter(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto("/m/orders?date=90d&status=completed")
    listed = rows(page)[:3]
    page.click("tbody .c-key a >> nth=0")
    page.wait_for_url(f"**/{listed[0]}*")
    for number in listed[1:]:
        page.locator("a[title='下一单'], a:has-text('下一单')").first.click()
        page.wait_for_url(f"**/{number}*")
    page.locator("a[title='上一单'], a:has-text('上一单')").first.click()
    page.wait_for_url(f"**/{listed[1]}*")


def test_an_export_is_requested_watched_and_downloaded(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto("/m/orders?date=30d&status=completed")
    shown = rows(page)
    page.click(".page-head >> text=导出 >> nth=-1")
    page.check("input[name=format][value=csv]")
    page.click("main form button.primary")
    link = page.locator("a[href$='/download']")
    link.first.wait_for(timeout=60_000)
    with page.expect_download() as waiting:
        link.first.click()
    content = waiting.value.path().read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    assert all(number in text for number in shown)
    assert hashlib.sha256(content).hexdigest() in page.content()


def test_keyboard_finds_moves_and_opens(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto("/m/orders?date=90d")
    listed = rows(page)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("tbody input:checked").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{listed[1]}*")


def test_columns_are_chosen_and_remembered(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.goto("/m/orders?date=90d")
    page.click("summary:has-text('列')")
    page.uncheck("input[name=column][value=account]")
    page.check("input[name=column][value=cost]")
    page.locator("details[open] button.primary").click()
    page.wait_for_load_state("networkidle")
    heads = page.locator("thead th").all_inner_texts()
    assert "成本" in heads and "账号" not in heads
    page.goto("/m/orders?date=30d")
    assert "成本" in page.locator("thead th").all_inner_texts()


def test_the_main_path_works_without_javascript(open_page: Any, sign_in: Any, site: Any) -> None:
    order = api(site, "merchant", "orders", q="date:90d", category="phone_topup", limit=1)["data"][0]
    page = open_page(javascript=False)
    sign_in(page, "merchant")
    page.fill("input[type=search]", order["order_no"])
    page.locator("form.search .search-line > button.btn:not([type])").click()
    assert f"/m/orders/{order['order_no']}" in page.url
    page.locator("form[action*='/reveal'] button").first.click()
    assert "•" not in page.locator("main").inner_text().split("充值账号")[1][:20]
    page.goto("/m/orders?date=90d&status=completed")
    page.locator(".pagination a[rel=next]").click()
    assert "cursor=" in page.url and rows(page)
    page.goto("/m/orders?date=30d")
    page.click(".page-head >> text=导出 >> nth=-1")
    page.check("input[name=format][value=csv]")
    page.locator("main form button.primary").click()
    assert "/exports/" in page.url


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_order_pages_are_accessible_and_fit(open_page: Any, sign_in: Any, *, phone: bool, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(phone=phone, dark=dark, axe=True)
    sign_in(page, "merchant")
    page.goto("/m/orders?date=90d&status=completed")
    number = rows(page)[0]
    paths = ["/m/orders?date=90d&status=completed", f"/m/orders/{number}", f"/m/orders/{number}/receipt", "/exports"]
    for path in [*paths, "/m/orders?q=没有这种订单xyz"]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], path
        result = axe.run(page)
        assert result.violations_count == 0, f"{path}\n{result.generate_report()}"


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_the_batch_bar_is_in_sight_while_a_row_is_ticked(open_page: Any, sign_in: Any, phone: bool) -> None:
    page = open_page(phone=phone)
    sign_in(page, "merchant")
    page.goto("/m/orders?date=all")
    page.locator("tbody input[data-row]").first.check()
    bar = page.locator(".batch").bounding_box()
    assert bar["y"] + bar["height"] <= page.viewport_size["height"]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    ("role", "path"), [("operator", "/ops/orders"), ("merchant", "/m/orders"), ("buyer", "/orders")]
)
def test_the_default_list_and_its_menus_fit_the_page(
    open_page: Any, sign_in: Any, site: Any, role: str, path: str, language: str
) -> None:
    page = open_page()
    sign_in(page, role)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": site.url}])
    page.goto(f"{path}?date=all")
    wrap = page.locator(".table-wrap").evaluate("wrap => [wrap.scrollWidth, wrap.clientWidth]")
    assert wrap[0] <= wrap[1]
    page.locator(".dates .menu summary").click()
    panel = page.locator(".dates .menu-panel").bounding_box()
    assert panel["x"] >= 0 and panel["x"] + panel["width"] <= page.viewport_size["width"]


def test_date_presets_do_not_overlap_on_a_phone_and_the_tick_box_stands_beside_its_number(
    open_page: Any, sign_in: Any, site: Any
) -> None:
    page = open_page(phone=True)
    sign_in(page, "merchant")
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": site.url}])
    page.goto("/m/orders?date=all")
    assert page.locator(".dates .segmented a").evaluate_all("all => all.every(a => a.scrollWidth <= a.clientWidth)")
    box, link = (page.locator(f"tbody tr:first-child {one}").bounding_box() for one in ("input[data-row]", ".c-key a"))
    assert abs((box["y"] + box["height"] / 2) - (link["y"] + link["height"] / 2)) <= 3


def test_a_text_no_address_can_carry_is_not_sent(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    page.locator("input[type=search]").evaluate(
        "box => { box.removeAttribute('maxlength'); box.value = 'x'.repeat(70000); }"
    )
    page.press("input[type=search]", "Enter")
    assert page.locator("#toasts .toast").inner_text() == "内容过长，请缩短搜索内容或筛选条件。"
    assert "q=" not in page.url


def test_changing_the_language_after_a_reveal_goes_back_to_the_order(open_page: Any, sign_in: Any, site: Any) -> None:
    order = api(site, "merchant", "orders", status="completed", category="phone_topup", limit=1)["data"][0]
    page = open_page()
    sign_in(page, "merchant")
    page.goto(f"/m/orders/{order['order_no']}")
    page.locator("form[action*='/reveal'] button").first.click()
    page.wait_for_url("**/reveal*")
    page.locator(".sidebar .prefs button[value=en]").click()
    page.wait_for_url(lambda url: url.endswith(order["order_no"]))
    assert page.locator("h1").count() == 1 and order["order_no"][:6] in page.locator("h1").inner_text().replace(" ", "")
