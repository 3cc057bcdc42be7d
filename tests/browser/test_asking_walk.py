"""Questions typed as people say them: the rows, the chips and the sentence they get, and one click to correct a reading."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from typing import Any

import pytest
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser
MERCHANT = {
    "上个月充值的话费订单": ({"下单时间", "类目"}, {"category": "phone_topup"}),
    "最近30天没到账的": ({"下单时间", "状态"}, {"status": "paid,processing,failed"}),
    "最近30天失败的话费": ({"下单时间", "状态", "类目"}, {"status": "failed", "category": "phone_topup"}),
    "已完成的腾讯视频订单": ({"状态", "商品"}, {"status": "completed", "product": "腾讯视频"}),
    "金额超过100元的订单": ({"金额"}, {"amount_min": "100.01"}),
    "支付宝付的已退款订单": ({"状态", "支付方式"}, {"status": "refunded", "payment_method": "alipay"}),
    "除了已取消的，最近7天的订单": ({"下单时间", "状态"}, {"exclude.status": "cancelled"}),
    "unpaid orders last 7 days": ({"下单时间", "状态"}, {"status": "pending_payment"}),
    "zuotian de huafei dingdan": (set(), None),
    "上個月的話費訂單": ({"下单时间", "类目"}, {"category": "phone_topup"}),
}
BUYER = {
    "上个月充值的话费订单": ({"下单时间", "类目"}, {"category": "phone_topup"}),
    "没到账的": ({"状态"}, {"status": "paid,processing,failed"}),
    "我买的已完成的订单": ({"状态"}, {"status": "completed"}),
    "最贵的3单": ({"排序"}, None),
    "微信付的订单": ({"支付方式"}, {"payment_method": "wechat"}),
    "待付款": ({"状态"}, {"status": "pending_payment"}),
    "今年的视频会员": ({"下单时间", "类目"}, {"category": "video_member"}),
    "没有退款的订单": ({"状态"}, {"exclude.status": "refunded"}),
    "低于50块的单子": ({"金额"}, {"amount_max": "49.99"}),
    "最近三个月的游戏点卡": ({"下单时间", "类目"}, {"category": "game_card"}),
}


def serious(page: Any) -> list[str]:
    """The accessibility faults axe finds that keep somebody out."""
    from axe_playwright_python.sync_playwright import Axe

    faults = Axe().run(page).response["violations"]
    return [fault["id"] for fault in faults if fault["impact"] in ("serious", "critical")]


def ask(page: Any, text: str) -> None:
    page.fill("input[type=search]", text)
    page.press("input[type=search]", "Enter")
    page.wait_for_url(lambda url: urllib.parse.parse_qs(urllib.parse.urlsplit(url).query).get("q") == [text.strip()])
    page.wait_for_load_state("networkidle")


def numbers(page: Any) -> list[str]:
    return [re.sub(r"\D", "", link.inner_text()) for link in page.locator("tbody .c-key a").all()]


def chip_keys(page: Any) -> set[str]:
    return {key.inner_text().rstrip("：:") for key in page.locator(".chips .chip .key").all()}


def every(page: Any, site: Any, home: str, text: str, expected: tuple[set[str], dict[str, str] | None]) -> None:
    """What the question finds is what the same filters find by name, and the chips say so."""
    page.goto(site.url + home)
    ask(page, text)
    labels, filters = expected
    found = numbers(page)
    assert labels <= chip_keys(page), (text, chip_keys(page))
    assert labels == set() or page.locator("[data-part=understood]").is_visible(), text
    if filters is None:
        return
    if "下单时间" in labels:
        assert_filtered(page, text, filters)
        return
    page.goto(f"{site.url}{home}{'&' if '?' in home else '?'}{urllib.parse.urlencode({**filters, 'date': 'all'})}")
    assert found == numbers(page), text


def assert_filtered(page: Any, text: str, filters: dict[str, str]) -> None:
    """With a time the filters are read off the chips' own addresses: they name every other filter."""
    links = [link.get_attribute("href") or "" for link in page.locator(".chips .chip a").all()]
    said = [urllib.parse.parse_qs(urllib.parse.urlsplit(link).query) for link in links]
    for name, value in filters.items():
        assert any(one.get(name) == [value] for one in said), (text, name, said)


@pytest.mark.parametrize("text", MERCHANT)
def test_a_merchant_asks(open_page: Any, sign_in: Any, site: Any, text: str) -> None:
    page = open_page()
    sign_in(page, "merchant")
    every(page, site, "/m/orders?view=sales", text, MERCHANT[text])


@pytest.mark.parametrize("text", BUYER)
def test_a_buyer_asks(open_page: Any, sign_in: Any, site: Any, text: str) -> None:
    page = open_page()
    sign_in(page, "buyer")
    every(page, site, "/orders", text, BUYER[text])


def test_a_wrong_reading_is_corrected_with_one_click(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    ask(page, "最近7天的100元话费")
    assert "面值" in chip_keys(page)
    page.click(".understood-instead >> text=按实付金额理解")
    page.wait_for_url(lambda url: "amount_min=100.00" in url)
    assert "面值" not in chip_keys(page) and "金额" in chip_keys(page)
    page.go_back()
    page.wait_for_selector(".chips .chip:has-text('面值')")  # the list is fetched again
    page.click(".chips .chip:has-text('类目') a")
    page.wait_for_url(lambda url: "face_min" in url and "category" not in url)
    assert "类目" not in chip_keys(page) and "面值" in chip_keys(page)


def test_questions_for_a_number_are_answered_with_the_orders_behind_them(open_page: Any, sign_in: Any) -> None:
    page = open_page(axe=True)
    sign_in(page, "merchant")
    ask(page, "最近30天一共卖了多少钱")
    assert re.search(r"¥[\d,.]+", page.locator(".answer-value").inner_text())
    assert numbers(page)
    ask(page, "最近30天哪5个商品卖得最好")
    bars = page.locator(".answer-bars tr")
    assert bars.count() == 5
    assert not serious(page)
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    bars.first.locator("a").click()
    page.wait_for_url(lambda url: "product=" in url)
    assert numbers(page)


def test_the_question_stays_while_its_filters_change(open_page: Any, sign_in: Any, site: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    ask(page, "最近30天一共卖了多少钱")
    assert {"下单时间", "查询"} <= chip_keys(page)
    whole = page.locator(".answer-value").inner_text()
    page.click(".tabs >> text=已完成")
    page.wait_for_url(lambda url: "status=completed" in url)
    completed = page.locator(".answer-value").inner_text()
    assert completed != whole, "the answer is about what the tab shows"
    summary = urllib.parse.urlencode({"intent": "sum", "status": "completed", "date": "30d", "view": "sales"})
    key = site.account("merchant")["api_key"]
    asked = urllib.request.Request(
        f"{site.url}/api/v1/orders/summary?{summary}", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert json.load(answer)["value"] == completed.lstrip("¥").replace(",", "")
    page.click(".chips .chip:has-text('查询') a")
    page.wait_for_url(lambda url: "intent=" not in url)
    assert page.locator(".answer-value").count() == 0 and numbers(page), "without the question it is a list"


def test_another_window_is_one_click_away(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    ask(page, "上个月的订单有多少")
    before = page.locator(".answer-value").inner_text()
    page.click(".dates .segmented >> text=近30天")
    page.wait_for_url(lambda url: "date=30d" in url)
    page.wait_for_selector(".chips .chip:has-text('近 30 天')")
    assert page.locator(".answer-value").inner_text() != before


def test_another_measure_is_one_click_away(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    ask(page, "最近30天哪5个商品卖得最好")
    assert "件" in page.locator(".answer-bars .num").first.inner_text()
    page.click(".understood-instead >> text=按金额")
    page.wait_for_url(lambda url: "intent=top" in url)
    assert page.locator(".answer-bars .num").first.inner_text().startswith("¥")
    assert page.locator(".answer-bars tr").count() == 5


def test_questions_need_no_scripts(open_page: Any, sign_in: Any) -> None:
    page = open_page(javascript=False)
    sign_in(page, "buyer")
    page.fill("input[type=search]", "今年的话费一共多少钱")
    page.press("input[type=search]", "Enter")
    page.wait_for_url("**q=*")
    assert page.locator("[data-part=understood]").is_visible()
    assert "¥" in page.locator(".answer-value").inner_text()
    page.locator(".understood-instead a").first.click()
    assert "¥" in page.locator(".answer-value").inner_text()


def test_words_nobody_knows_are_left_out_and_said(open_page: Any, sign_in: Any) -> None:
    page = open_page()
    sign_in(page, "merchant")
    ask(page, "最近30天小蜜蜂加速器的话费")
    assert "小蜜蜂加速器" in page.locator(".understood-ignored").inner_text()
    assert numbers(page)


@pytest.mark.parametrize(
    "text", ["2月31号的订单", "金额大于1" + "0" * 30 + "元的订单", "'; drop table orders; --", "😀", "话费" * 900]
)
def test_bad_input_is_answered_in_words(open_page: Any, sign_in: Any, text: str) -> None:
    page = open_page()
    sign_in(page, "buyer")
    ask(page, text)
    assert page.locator("h1").inner_text() == "消费订单"
    assert page.locator("tbody tr, .empty, .field-error").count()
