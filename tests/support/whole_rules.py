"""Rules of the machine that drives everything: suppliers, agents and the log. Buyers, gateways, staff and time are in the test itself.

What may be refused is: a refusal is an answer, an inconsistency is not. Django's things are imported inside: a test names its
settings before.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chadan.platform.errors import ChadanError

FAULTS = ("late", "late", "deaf", "refuse", "sold_out", "slow", "slow", "apology", "error")
PROTOCOLS = ("dujiao", "acg")
CIRCUMSTANCES = (
    *("supplier_is_upset", "supplier_is_upset", "supplier_is_upset", "far_shop_gets", "shop_is_stocked"),
    *("agent_tops_up", "shop_changes_its_mind", "gateway_changes"),
)
REPORTS = ("", "", "twice", "forged", "foreign", "another supplier's")


class Outsiders:
    """Mixed into the machine; `whole` is its ground."""

    whole: Any
    gateway_changes: Any

    # Suppliers

    def supplier_is_upset(self, data: Any) -> None:
        from tests.support.whole_outside import OUTSIDE

        where = data.draw(st.sampled_from([*PROTOCOLS, "chadan"]), "supplier")
        if where == "chadan":
            OUTSIDE.peer_faults.append(data.draw(st.sampled_from(["late", "deaf"]), "fault"))
        else:
            fault = data.draw(st.sampled_from(FAULTS), "fault")
            OUTSIDE.suppliers.fault(fault, protocol=where, times=data.draw(st.integers(1, 2), "times"))

    @rule(data=st.data(), protocol=st.sampled_from(PROTOCOLS), report=st.sampled_from(REPORTS))
    def supplier_reports(self, data: Any, protocol: str, report: str) -> None:
        """A supplier delivers one of its orders, if it had not, and tells it: once, again, late, forged, about somebody else's."""
        from tests.support.whole_outside import OUTSIDE

        found = self.supplier_orders(protocol)
        if not found:
            return
        order = found[-1 - data.draw(st.integers(0, min(len(found), 3) - 1), "order")]
        shop = getattr(OUTSIDE.suppliers.desk, protocol).shop
        shop.finish(order)
        if protocol == "dujiao":
            self.report(order, report)

    def report(self, order: Any, lie: str) -> None:
        """The signed callback; only a true one about an order of this connection may be taken."""
        from django.test import Client
        from tests.support.supplied import dujiao_report
        from tests.support.whole_outside import OUTSIDE

        from chadan.catalog.models import Supplier

        protocol = "chadan" if lie == "another supplier's" else "dujiao"
        supplier_id = next(pk for pk, name in self.whole.suppliers.items() if name == protocol)
        secret = "wrong" if lie == "forged" else OUTSIDE.suppliers.desk.dujiao.shop.key
        changes = {"order_id": 4711, "downstream_order_no": "c0000000000000001"} if lie == "foreign" else {}
        key = Supplier.objects.get(protocol="dujiao", merchant=self.whole.shop.cards.merchant).settings["api_key"]
        for _copy in range(2 if lie == "twice" else 1):
            answer = dujiao_report(Client(), supplier_id, key, order, secret, **changes)
            assert answer.status_code in ({200} if lie in ("", "twice") else {401, 404}), (lie, answer.status_code)

    def supplier_orders(self, protocol: str) -> list[Any]:
        """This shop's orders at a supplier, oldest first."""
        from tests.support.stock_ground import rows
        from tests.support.whole_outside import OUTSIDE

        ours = {
            row[0]
            for row in rows(
                "select d.request_no from order_deliveries d join orders o on o.order_no = d.order_no where o.merchant_id = %s",
                self.whole.shop.cards.merchant.pk,
            )
        }
        return [order for order in OUTSIDE.suppliers.orders(protocol) if order.request_no in ours]

    @rule(data=st.data())
    def staff_looks_at_the_suppliers_pages(self, data: Any) -> None:
        """What waits for a person is decided, and rightly: bought under its number, or not bought."""
        from chadan.delivery import parked

        waiting = parked.waiting(self.whole.shop.owner)
        if waiting:
            self.decide(data.draw(st.sampled_from(waiting), "purchase"))

    def decide(self, one: Any) -> None:
        """One purchase, by what the supplier really has."""
        from tests.support.stock_ground import rows

        from chadan.delivery import parked
        from chadan.sandbox.supplier.shop import APOLOGY

        protocol = self.whole.suppliers[one.supplier_id]
        if protocol == "chadan":
            found = rows("select order_no from supply_orders where your_order_no = %s", one.request_no)
            known = str(found[0][0]).zfill(19) if found else ""
        else:
            order = next((each for each in self.supplier_orders(protocol) if each.request_no == one.request_no), None)
            known = str(order.number) if order is not None and order.secret != APOLOGY else ""
        with contextlib.suppress(ChadanError):
            if known:
                parked.bought(self.whole.shop.owner, one.order_no, one.seq, known)
            else:
                parked.not_bought(self.whole.shop.owner, one.order_no, one.seq)

    @precondition(lambda self: self.whole.orders)
    @rule(data=st.data(), what=st.sampled_from(["silence", "work", "cooling"]))
    def time_passes_at_suppliers(self, data: Any, what: str) -> None:
        from tests.support.paying import owner_run

        hours = {"silence": 25, "work": 73}.get(what)
        if hours is None:
            owner_run(
                "update suppliers set failed_at = failed_at - interval '6 minutes' where merchant_id = %s",
                self.whole.shop.cards.merchant.pk,
            )
            return
        owner_run(
            "update order_deliveries set created_at = created_at - make_interval(hours => %s) where order_no = %s",
            *(hours, self.whole.orders[-1 - data.draw(st.integers(0, min(len(self.whole.orders), 4) - 1), "order")]),
        )

    def far_shop_gets(self, data: Any) -> None:
        """Stock at the other Chadan, or money in our wallet there."""
        if cards := data.draw(st.integers(0, 3), "cards"):
            self.whole.far.cards.import_text(*(f"FAR-{secrets.token_hex(8)}" for _card in range(cards)))
        else:
            self.whole.supplied.top_up(data.draw(st.sampled_from([900, 5000]), "money"))

    def shop_is_stocked(self, data: Any) -> None:
        cards = data.draw(st.integers(1, 4), "cards")
        self.whole.shop.cards.import_text(*(f"WHOLE-{secrets.token_hex(8)}" for _card in range(cards)))

    # Agents

    def agent_tops_up(self, data: Any) -> None:
        from chadan.delivery import agent_admin

        agency = self.whole.resold
        money = data.draw(st.sampled_from([100, 900, 1800, 5000]), "money")
        with contextlib.suppress(ChadanError):
            once = secrets.token_hex(8)
            if agent_admin.top_up(self.whole.shop.owner, agency.standing.pk, money, once):
                agency.given += money
            assert not agent_admin.top_up(self.whole.shop.owner, agency.standing.pk, money, once)

    def shop_changes_its_mind(self, data: Any) -> None:
        """The agent is suspended or taken back, the product closed to agents or opened."""
        from chadan.catalog.models import Product
        from chadan.delivery import agent_admin

        active, opened = (data.draw(st.sampled_from([True, True, False]), name) for name in ("active", "open"))
        agency = self.whole.resold
        with contextlib.suppress(ChadanError):
            agent_admin.change(self.whole.shop.owner, agency.standing.pk, level=2, active=active)
        Product.objects.filter(pk=self.whole.goods["duo"][1].pk).update(open_to_agents=opened)

    @precondition(lambda self: len(self.whole.orders) > len(self.whole.placed))
    @rule(data=st.data())
    def agent_complains(self, data: Any) -> None:
        """About a purchase, at the shop above."""
        from chadan.orders import lifecycle
        from chadan.orders.events import actor_json

        bought = [each for each in self.whole.orders if each not in self.whole.placed]
        agent = self.whole.agent.owner
        with contextlib.suppress(ChadanError):
            lifecycle.open_after_sale(
                agent.scope, data.draw(st.sampled_from(bought[-3:]), "purchase"), actor_json(agent), "a bad card"
            )

    @rule(data=st.data(), what=st.sampled_from(CIRCUMSTANCES))
    def circumstances_change(self, data: Any, what: str) -> None:
        """One rule for what is around the orders, so that most steps are about orders."""
        getattr(self, what)(data)

    # The log

    @rule(killed=st.sampled_from([False, False, False, True]), batches=st.integers(0, 3), fails=st.booleans())
    def log_goes_on(self, killed: bool, batches: int, fails: bool) -> None:
        self.whole.log.sequence(killed=killed)
        for batch in range(batches):
            self.whole.log.consume(fails=fails and not batch)

    # The end

    def everybody_is_honest(self) -> None:
        """Suppliers answer, deliver what they work at, and nobody has lost patience or money."""
        from tests.support.whole_outside import OUTSIDE

        from chadan.delivery import agent_admin

        OUTSIDE.calm()
        self.shop_is_open()
        for protocol in PROTOCOLS:
            for order in self.supplier_orders(protocol):
                getattr(OUTSIDE.suppliers.desk, protocol).shop.finish(order)
        agent_admin.wake(self.whole.agent.cards.merchant.pk)

    def shop_is_open(self) -> None:
        from chadan.catalog.models import Product
        from chadan.delivery import agent_admin

        agent_admin.change(self.whole.shop.owner, self.whole.resold.standing.pk, level=2, active=True)
        Product.objects.filter(pk=self.whole.goods["duo"][1].pk).update(open_to_agents=True)

    def log_is_read(self) -> None:
        """Everything is sequenced, and the consumer reads on until it has nothing more."""
        log = self.whole.log
        log.drain()
        ends = time.monotonic() + 30
        while log.consume():
            assert time.monotonic() < ends
