"""A guest's order page follows the order by itself: paid in another tab, the card arrives without a reload."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.browser.test_live import VISIBLE_WITHIN, Mover, shows, streaming
from tests.browser.test_living_orders import CARDS, HEALED_WITHIN, SHOP, order, pay_at_cashier

pytestmark = pytest.mark.browser
STATE = "[data-part=state] .amount-row"


@pytest.fixture(scope="module")
def mover(site: Any) -> Any:
    made = Mover(site.data)
    yield made
    made.close()


def test_a_guest_sees_the_card_arrive_without_a_reload(open_page: Any, mover: Mover) -> None:
    page = open_page()
    number = order(page, CARDS)
    watching = page.context.new_page()
    streaming(watching, f"{SHOP}/order/{number}")
    shows(watching, STATE, "待付款")
    watching.evaluate("window.unchanged = true")
    watching.on("request", lambda request: asked.append(request.url) if "/orders/changes" in request.url else None)
    asked: list[str] = []

    page.bring_to_front()
    pay_at_cashier(page, "易支付 V1")
    watching.bring_to_front()
    watching.locator(STATE, has_text="已发货").wait_for(timeout=HEALED_WITHIN)
    assert watching.locator("[data-part=state] .secret").count() == 1, "the sealed card is there to be revealed"
    assert watching.evaluate("window.unchanged") is True and not asked

    mover.move(number, "after_sale")
    watching.locator(STATE, has_text="售后中").wait_for(timeout=VISIBLE_WITHIN)
    shows(watching, "#live-said", "售后中")
    shows(watching, "[data-part=record] .timeline", "售后")
    watching.click("text=查看卡密")
    shown = watching.locator("#card-1").inner_text()
    mover.move(number, "delivered")
    shows(watching, "[data-part=record] .timeline", "发货")
    assert watching.locator("#card-1").inner_text() == shown, "what somebody looks at stays"


def test_a_guest_without_a_stream_asks_and_a_stranger_is_told_nothing(browser: Any, site: Any, mover: Mover) -> None:
    context = browser.new_context(base_url=site.url, locale="zh-CN")
    page = context.new_page()
    number = order(page, CARDS)
    page.clock.install()
    page.route("**/live/orders*", lambda route: route.abort())
    page.goto(f"{SHOP}/order/{number}")
    with page.expect_response("**/orders/changes*"):
        page.clock.run_for(5_000)
    mover.move(number, "cancelled")
    for _ in range(10):
        page.clock.run_for(10_000)
        page.wait_for_timeout(300)
        if page.locator(STATE, has_text="已取消").count():
            break
    assert page.locator(STATE, has_text="已取消").count() == 1

    other = browser.new_context(base_url=site.url, locale="zh-CN").new_page()
    other.goto(f"{SHOP}/order/{number}")
    assert re.search(r"/lookup\?order=", other.url)
    answer = other.request.get("/orders/changes?as=guest&since=0")
    assert answer.status == 401
    other.context.close()
    context.close()
