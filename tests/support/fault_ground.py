"""What the fault tests share: the site with its proxy, sandbox and hand, ways to pay, and the judgement over what came of it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.fault_guest import Guest
from tests.support.fault_hand import Hand
from tests.support.fault_proxy import Proxy, proxy_before
from tests.support.fault_site import ROOT, Site, free_port

from chadan.platform.processes import tied
from chadan.sandbox.client import Sandbox


@dataclass(frozen=True)
class Line:
    """One row of the table. `lost` and `doubled` count orders, payments and cards."""

    row: str
    injected: str
    expected: str
    seen: str
    lost: int
    doubled: int


TABLE: list[Line] = []
HEAD = Line("row", "injected", "expected", "seen", 0, 0)


def table() -> list[str]:
    """The table as lines of Markdown."""
    lines = ["| row | injected | expected | seen | lost | doubled |", "|---|---|---|---|---|---|"]
    for one in sorted(TABLE, key=lambda line: (int(re.findall(r"\d+", line.row)[0]), line.row)):
        lines.append(f"| {one.row} | {one.injected} | {one.expected} | {one.seen} | {one.lost} | {one.doubled} |")
    return lines


@dataclass
class Ground:
    """The running site and everything around it."""

    site: Site
    proxy: Proxy
    sandbox: Sandbox
    hand: Hand
    shops: dict[str, dict[str, Any]] = field(default_factory=dict)

    def shop(self, cards: int, **more: Any) -> dict[str, Any]:
        """A new shop with cards in stock."""
        made: dict[str, Any] = self.hand("open_shop", cards=cards, sandbox=self.sandbox.url, **more)
        assert "error" not in made, made
        return made

    def guest(self, *, direct: bool = True) -> Guest:
        """A buyer; past the proxy, which is for what others send."""
        return Guest(self.site.url if direct else self.proxy.url)

    def begin(self, shop: dict[str, Any], protocol: str = "epay1", guest: Guest | None = None) -> tuple[int, str]:
        """A new order whose payment has been started: (order, our number at the gateway)."""
        guest = guest or self.guest()
        order_no = guest.order(shop["page"])
        answer = guest.start(order_no, shop["channels"][protocol])
        assert answer.status == 302, answer
        return order_no, self.visited(order_no)

    def visited(self, order_no: int) -> str:
        """Opens the payment's page at the gateway, as the buyer's browser does; returns our number."""
        out_no, url = self.site.rows(
            "select out_no, pay_url from order_payments where order_no = %s order by seq desc limit 1", order_no
        )[0]
        self.sandbox.visit(url)
        return str(out_no)

    def verdicts(self, order_no: int) -> list[str]:
        """What became of the callbacks about an order, oldest first."""
        found = self.site.rows("select verdict from payment_callbacks where order_no = %s order by id", order_no)
        return [row[0] for row in found]

    def answers(self, out_no: str, protocol: str) -> list[tuple[int, str, bool]]:
        """(status, body, taken) of the callbacks the gateway sent."""
        told = self.sandbox.payment(out_no, protocol)["told"]
        return [(one["status"], one["answer"], one["taken"]) for one in told]

    def money(self, order_no: int) -> tuple[int, int]:
        """(paid, refunded) in fen."""
        paid, refunded = self.site.rows("select paid, refunded from orders where order_no = %s", order_no)[0]
        return paid, refunded

    def judge(self, orders: Iterable[int]) -> tuple[int, int]:
        """(lost, doubled) among orders the site has acknowledged.

        Lost: an order that is not there, or one that is paid by the gateway's word and by no row of ours. Doubled: a delivery,
        a payment or a card there is two of.
        """
        known = sorted(set(orders))
        there = self.site.one("select count(*) from orders where order_no = any(%s)", known)
        lost = len(known) - there + len(self.unheard(known))
        doubled = self.site.one(
            "select count(*) from ("
            " select order_no from order_events where order_no = any(%(o)s)"
            " and type in ('order.delivered', 'order.paid', 'order.placed') group by order_no, type having count(*) > 1"
            " union all select order_no from order_payments where order_no = any(%(o)s) and status in (1, 3)"
            " group by order_no, txn_no having count(*) > 1"
            " union all select c.order_no from order_cards c join orders o using (order_no, home)"
            " where o.order_no = any(%(o)s) group by c.order_no, o.quantity having count(*) > o.quantity"
            " union all select min(order_no) from order_cards group by merchant_id, blind having count(*) > 1) twice".replace(
                "%(o)s", "%s"
            ),
            known,
            known,
            known,
        )
        return lost, int(doubled)

    def unheard(self, orders: list[int]) -> list[str]:
        """Our numbers of payments the gateway took for these orders and our rows do not know."""
        wanted = {f"{order:019d}" for order in orders}
        took = {
            one["out_no"]
            for one in self.sandbox._ask("GET", "payments")
            if one["paid_at"] and one["state"] == "paid" and one["out_no"][:19] in wanted
        }
        ours = self.site.rows("select out_no from order_payments where out_no = any(%s) and status in (1, 3)", [*took])
        return sorted(took - {row[0] for row in ours})

    def record(self, row: str, injected: str, expected: str, seen: str, orders: Iterable[int]) -> None:
        """One line of the table; nothing may be lost, doubled or wrong in the books."""
        lost, doubled = self.judge(orders)
        TABLE.append(Line(row, injected, expected, seen, lost, doubled))
        wrong = self.hand("books")
        assert (lost, doubled, wrong) == (0, 0, []), (row, lost, doubled, wrong)


@contextmanager
def ground_in(folder: Path) -> Iterator[Ground]:
    """Everything started, and stopped again."""
    with ExitStack() as stack:
        port = free_port()
        proxy = stack.enter_context(proxy_before(port))
        site = Site(folder / "var", port, proxy.url)
        stack.callback(site.stop)
        site.start()
        hand = Hand(site.environment)
        stack.callback(hand.stop)
        sandbox = stack.enter_context(sandbox_in(folder / "gateways", site.environment))
        yield Ground(site, proxy, sandbox, hand)


@contextmanager
def sandbox_in(folder: Path, environment: dict[str, str]) -> Iterator[Sandbox]:
    """`chadan sandbox` in a process of its own."""
    process = subprocess.Popen(
        tied(sys.executable, "-m", "chadan.sandbox", "--port", "0"),
        cwd=ROOT,
        env={**environment, "CHADAN_DATA": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        yield Sandbox(found[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        assert process.stdout
        process.stdout.close()
