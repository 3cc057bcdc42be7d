"""An agent sells what a shop above makes, end to end in a real browser: opened, taken up, bought by a guest, delivered through."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.browser.test_living_orders import CODE, HEALED_WITHIN, open_order, pay_at_cashier, shows

pytestmark = pytest.mark.browser
TITLE = "联名点卡 20 元"
SECRET = "AGENT-SALE-0001-7788"
AGENTS_SHOP = "/s/wanxiang"


def fact(page: Any, name: str) -> str:
    """What an order's page says under a name."""
    return str(
        page.locator("dt", has_text=re.compile(f"^{name}$"))
        .first.locator("xpath=following-sibling::dd[1]")
        .inner_text()
    )


def put_on_sale(page: Any) -> None:
    """The shop above makes a product, opens it to agents at 18 yuan, and stocks one card."""
    page.goto("/m/products/new")
    page.fill("input[name=title]", TITLE)
    page.select_option("select[name=category]", "game_card")
    page.select_option("select[name=delivery_kind]", "card")
    page.fill("input[name=price]", "20")
    page.fill("input[name=cost]", "15")
    page.locator("summary", has_text="等级").click()
    page.fill("input[name=level_1]", "18")
    page.check("input[name=open_to_agents]")
    page.click("form.product-form button.primary")
    page.goto("/m/stock")
    page.locator("tbody tr", has_text=TITLE).locator("a").first.click()
    page.fill("textarea[name=cards]", SECRET)
    page.locator("form", has=page.locator("textarea[name=cards]")).locator("button.primary").click()
    assert "新增 1" in page.locator("main .alert").inner_text()


def take_up(page: Any) -> str:
    """The agent resells it at 25 yuan; returns what the page says is left."""
    page.goto("/m/agents")
    row = page.locator("tbody tr", has_text=TITLE)
    row.locator("input[name=price]").fill("25")
    row.locator("button").click()
    return str(page.locator("tbody tr", has_text=TITLE).inner_text())


def test_an_agent_sells_what_a_shop_above_opens_to_it(open_page: Any, sign_in: Callable[..., None]) -> None:
    above, agent, guest = open_page(), open_page(), open_page()
    sign_in(above, "merchant")
    put_on_sale(above)
    sign_in(agent, "agent")
    assert "18.00" in (said := take_up(agent)) and "7.00" in said

    guest.goto(f"{AGENTS_SHOP}?q={TITLE}")
    guest.locator("main a[href*='/p/']").first.click()
    assert "25.00" in guest.locator("main").inner_text()
    guest.fill("input[name=contact]", "13900001234")
    guest.fill("input[name=code]", CODE)
    guest.click("button.big")
    guest.wait_for_url(re.compile(r"/pay/\d{19}/"))
    sale = re.findall(r"\d{19}", guest.url)[0]
    pay_at_cashier(guest, "易支付 V1")
    guest.goto(f"{AGENTS_SHOP}/order/{sale}")
    shows(guest, "已发货", within=HEALED_WITHIN)
    guest.click("text=查看卡密")
    assert guest.locator("#card-1").inner_text() == SECRET

    open_order(agent, sale)
    assert (fact(agent, "实付金额"), fact(agent, "成本"), fact(agent, "利润")) == ("¥25.00", "¥18.00", "¥7.00")
    link = agent.locator("li", has_text="上游采购单").locator("a")
    purchase = re.findall(r"\d{19}", link.get_attribute("href"))[0]
    link.click()
    agent.wait_for_url(f"**/m/orders/{purchase}")
    assert agent.locator("li", has_text="卖给买家的订单").locator(f"a[href$='{sale}']").count() == 1, "and back"
    assert "18.00" in fact(agent, "实付金额")

    above.goto("/m/orders?view=agent")
    above.locator(f"tr[data-no='{purchase}'] .c-key a").click()
    above.wait_for_url(f"**/m/orders/{purchase}*")
    shows(above, "已发货", "已完成")
    assert (fact(above, "实付金额"), fact(above, "成本"), fact(above, "利润")) == ("¥18.00", "¥15.00", "¥3.00")
    assert fact(above, "代理") == "万象卡盟" and sale in re.sub(r"\s", "", fact(above, "代理的销售单"))
    above.goto(f"/m/orders/{sale}")
    assert SECRET not in above.content() and "25.00" not in above.content(), "the agent's sale is the agent's"
