"""Open pages follow what happens to orders, without a reload."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chadan.platform.processes import tied

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
VISIBLE_WITHIN = 2_000  # milliseconds
MOVE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "chadan.platform.settings"
import django
django.setup()
from chadan.orders import events
from chadan.orders.placing import NewOrder, place
from chadan.orders.states import OrderStatus
from chadan.orders.transitions import transition
from chadan.platform.scope import OPERATOR, scoped
print("ready", flush=True)
for line in sys.stdin:
    number, to = line.split()
    with scoped(OPERATOR) as session:
        if to == "again":
            columns = "merchant_id, home, buyer_id, version_id, category, face_value, quantity, amount"
            row = session.rows(f"select {columns} from orders where order_no = %s", (int(number),))[0]
            new = NewOrder(**dict(zip(columns.split(", "), row)), buyer_login="b", buyer_name="b")
            print(place(session, new, events.system("test")).order_no, flush=True)
            continue
        transition(session, int(number), OrderStatus(to), actor=events.system("test"), reason="moved by a test")
    print("moved", flush=True)
"""


class Mover:
    """A management process that moves orders on command."""

    def __init__(self, data: Path) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("CHADAN_")}
        self.process = subprocess.Popen(
            tied(sys.executable, "-c", MOVE),
            env=env | {"CHADAN_DATA": str(data), "PYTHONPATH": str(ROOT / "src"), "CHADAN_LOG_LEVEL": "WARNING"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answer()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def move(self, number: str, to: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{number} {to}\n")
        self.process.stdin.flush()
        assert self.answer() == "moved"

    def order_again(self, number: str) -> str:
        """Places an order like another one; returns its number."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{number} again\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        self.process.communicate(timeout=10)


@pytest.fixture(scope="module")
def mover(site: Any):
    made = Mover(site.data)
    yield made
    made.close()


def shown(page: Any) -> list[str]:
    """The orders an open list shows, in its order."""
    return [str(row.get_attribute("data-no")) for row in page.locator("tbody tr").all()]


def streaming(page: Any, path: str) -> None:
    """Opens a page and waits until its stream has said where the log stands."""
    with page.expect_response(lambda answer: "/live/orders" in answer.url and answer.status == 200):
        page.goto(path)


def shows(page: Any, selector: str, text: str) -> None:
    page.locator(selector, has_text=text).first.wait_for(timeout=VISIBLE_WITHIN)


def test_a_list_and_an_order_show_a_new_state_without_reload(open_page, sign_in, site, mover):
    seller, support = open_page(), open_page()
    sign_in(seller, "merchant")
    sign_in(support, "merchant_support")
    streaming(seller, "/m/orders?date=all&status=completed")
    place = shown(seller)
    number, other = place[:2]
    streaming(support, f"/m/orders/{number}")
    row = f"tr[data-no='{number}']"
    seller.locator(f"tr[data-no='{number}'] .c-key a").focus()
    seller.evaluate("window.unchanged = true")

    mover.move(number, "after_sale")
    shows(seller, f"{row} .c-status", "售后中")
    shows(support, "[data-part=state]", "售后中")
    shows(support, "[data-part=timeline]", "test")
    assert seller.evaluate("window.unchanged") is True
    assert shown(seller) == place, "nothing moves"
    assert seller.evaluate("document.activeElement.closest('tr')?.dataset.no") == number, "the focus stays"
    shows(seller, "#live-said", "1")
    shows(support, "#live-said", "售后中")

    mover.move(other, "after_sale")
    shows(seller, f"tr[data-no='{other}'] .c-status", "售后中")


def test_a_new_order_is_offered_and_never_pushed_in(open_page, sign_in, site, mover):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(axe=True)
    sign_in(page, "merchant")
    streaming(page, "/m/orders?date=all")
    place = shown(page)
    new = mover.order_again(place[0])
    shows(page, "[data-live-notice]", "有 1 笔新订单，点击刷新")
    assert shown(page) == place
    assert axe.run(page).violations_count == 0
    page.click("[data-live-notice]")
    page.locator(f"tr[data-no='{new}']").wait_for()
    assert page.locator("[data-live-notice]").is_hidden()

    streaming(page, "/m/orders?date=all&status=completed")
    with page.expect_response("**/m/orders/rows?*"):
        mover.order_again(place[0])
    with page.expect_response("**/m/orders/rows?*"):  # asks again about what it has not shown: the first answer is in
        mover.move(new, "cancelled")
    assert page.locator("[data-live-notice]").is_hidden(), "what the filter leaves out is not offered"


def test_pages_ask_when_there_is_no_stream(browser, site, sign_in, mover):
    context = browser.new_context(base_url=site.url, locale="zh-CN")
    page = context.new_page()
    page.clock.install()
    page.route("**/live/orders*", lambda route: route.abort())
    sign_in(page, "merchant")
    page.goto("/m/orders?date=all&status=completed")
    number = shown(page)[2]
    with page.expect_response("**/orders/changes*"):
        page.clock.run_for(5_000)
    mover.move(number, "after_sale")
    for _ in range(10):
        page.clock.run_for(10_000)
        if page.locator(f"tr[data-no='{number}'] .c-status", has_text="售后中").count():
            break
        time.sleep(0.3)
    assert page.locator(f"tr[data-no='{number}'] .c-status").inner_text() == "售后中"
    context.close()
